import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from grading import GRADER, REPOSITORY, strict_json

EXAMPLES = REPOSITORY / "examples"
NAME = "random-acts-of-pizza"


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Example(unittest.TestCase):
    def test_the_data_are_what_their_script_writes_byte_for_byte(self):
        with tempfile.TemporaryDirectory() as fresh:
            subprocess.run([sys.executable, str(EXAMPLES / "data" / "make_random_acts_of_pizza.py"), fresh], check=True, timeout=60)
            made, kept = contents(Path(fresh) / NAME), contents(EXAMPLES / "data" / NAME)
            self.assertEqual(sorted(made), sorted(kept))
            for name in made:
                self.assertTrue(made[name] == kept[name], f"{name} differs")
            self.assertLess(sum(map(len, kept.values())), 1_500_000)

    def test_the_solution_earns_a_score_with_the_known_thresholds(self):
        with tempfile.TemporaryDirectory() as work:
            results = Path(work) / "results.jsonl"
            done = subprocess.run([sys.executable, str(GRADER), str(EXAMPLES / "solution.py"), NAME, str(results)], cwd=work, timeout=60,
                                  env={**os.environ, "MLE_BENCH_DATA_DIR": str(EXAMPLES / "data")}, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            document = strict_json(results.read_text())
        report = document["grading_report"]
        self.assertEqual([report[f"{name}_threshold"] for name in ("gold", "silver", "bronze", "median")], [0.97908, 0.76482, 0.6921, 0.599595])
        self.assertTrue(document["valid_solution"] and report["above_median"])
        self.assertTrue(0.6 < document["test_fitness"] < 0.9, document["test_fitness"])

    def test_the_test_requests_hold_nothing_known_only_later(self):
        for request in strict_json((EXAMPLES / "data" / NAME / "prepared" / "public" / "test.json").read_text()):
            self.assertFalse([field for field in request if "retrieval" in field or "received" in field or "flair" in field])
            self.assertEqual(request["giver_username_if_known"], "N/A")

    def test_the_leaderboard_is_in_rank_order(self):
        lines = (EXAMPLES / "data" / NAME / "leaderboard.csv").read_text().split()[1:]
        scores = [float(line.split(",")[2]) for line in lines]
        self.assertEqual(len(scores), 462)
        self.assertEqual(scores, sorted(scores, reverse=True))
