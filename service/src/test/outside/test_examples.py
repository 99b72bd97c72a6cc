"""The published examples in examples/api run as they are, byte for byte, in a folder of their own."""

import json
import pathlib
import re
import sys
import tempfile
import unittest

from outside import EXAMPLES, config, reaches, shell, submit, sleeper

PUBLISHED = EXAMPLES / "api"
SOLUTION = (EXAMPLES / "solution.py").read_text()


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)
        for name in ("my_solution.py", "your_solution.py", "long_training.py"):
            (self.here / name).write_text(SOLUTION)
        (self.here / "config.yaml").write_text(config())

    def run_published(self, name, **environment):
        return shell((PUBLISHED / name).read_text(), self.here, **environment)

    def test_submit_and_grade_as_published_tells_that_its_placeholder_has_no_score(self):
        printed = self.run_published("submit.sh")
        self.assertRegex(printed, r"^Score: None\nExecution time: [\d.]+s\nGold medal: False\n$")

    def test_submit_and_grade_with_a_real_solution_prints_its_score(self):
        published = (PUBLISHED / "submit.sh").read_text()
        before, rest = published.split("<< 'EOF'\n", 1)
        after = rest.split("\nEOF\n", 1)[1]
        printed = shell(f"{before}<< 'EOF'\n{SOLUTION}\nEOF\n{after}", self.here)
        self.assertRegex(printed, r"^Score: 0\.\d+\nExecution time: [\d.]+s\nGold medal: (True|False)\n$")

    def test_long_training_is_followed_to_its_final_score(self):
        quick = self.here / "bin"
        quick.mkdir()
        (quick / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.2\n")  # its five minutes between two looks
        (quick / "sleep").chmod(0o700)
        printed = shell(f'PATH={quick}:$PATH\n{(PUBLISHED / "async.sh").read_text()}', self.here)
        self.assertRegex(printed, r"Job ID: [0-9a-f-]{36}\n")
        self.assertRegex(printed, r"Status: completed\n")
        self.assertRegex(printed, r"Final Score: 0\.\d+\nExecution time: [\d.]+s\n$")

    def test_availability_lists_both_nodes(self):
        nodes = json.loads(self.run_published("nodes.sh"))["nodes"]
        self.assertEqual([0, 1], sorted(node["node_id"] for node in nodes))

    def test_the_python_client_prints_score_and_medals(self):
        client = shell(f"exec {sys.executable} {PUBLISHED / 'client.py'}", self.here)
        self.assertRegex(client, r"^Score: 0\.\d+\nExecution time: [\d.]+s\nValid solution: True\n")
        self.assertIn("Gold: False (threshold: 0.97908)", client)
        self.assertRegex(client, r"Silver: \w+ \(threshold: 0\.76482\)")
        self.assertRegex(client, r"Bronze: \w+ \(threshold: 0\.6921\)")

    def test_the_python_client_prints_why_nothing_was_accepted(self):
        published = (PUBLISHED / "client.py").read_text()
        (self.here / "client.py").write_text(published.replace("'random-acts-of-pizza')", "'no-such-thing')"))
        printed = shell(f"{sys.executable} client.py || true", self.here)
        self.assertIn("no-such-thing", printed)

    def test_every_request_of_the_reference_is_answered(self):
        waiting = submit(sleeper(30)).json["job_id"]
        reaches(waiting, "running", "pending")
        filled = (PUBLISHED / "requests.sh").read_text()
        filled = filled.replace("YOUR_JOB_ID", waiting).replace("YOUR_TOKEN", "sarang").replace("curl", "curl -sf")
        requests = [text for text in re.split(r"\n\n|\n(?=# )", filled) if "curl" in text]
        self.assertEqual(10, len(requests))
        for text in requests:
            with self.subTest(text):
                self.assertIsInstance(json.loads(shell(text, self.here)), dict)
        self.assertEqual("cancelled", reaches(waiting, "cancelled")["status"])

    def test_the_example_earns_a_medal_of_its_own(self):
        results = json.loads(submit(SOLUTION, wait=True).json["stdout"])
        self.assertTrue(results["valid_solution"])
        self.assertGreater(results["test_fitness"], 0.6)

    def test_follow_prints_each_step_once(self):
        job = submit(SOLUTION).json["job_id"]
        printed = shell(f"{sys.executable} {EXAMPLES / 'follow.py'} {job}", self.here)
        self.assertEqual(["queued", "running", "graded"], re.findall(r"^(\w+) ", printed, re.M)[:3])
        self.assertRegex(printed, r"(?m)^  gold     0\.97908")

    def test_follow_tells_why_a_job_failed(self):
        job = submit("raise SystemExit(3)").json["job_id"]
        printed = shell(f"{sys.executable} {EXAMPLES / 'follow.py'} {job} || echo status $?", self.here)
        self.assertRegex(printed, r"(?m)^failed +after .+: .+\nstatus 1$")


if __name__ == "__main__":
    unittest.main()
