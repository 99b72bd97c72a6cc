"""What the grader's tests share: a toy competition on disk, and the real grader run on it."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path
from typing import NamedTuple, Optional

REPOSITORY = Path(__file__).resolve().parents[3]
GRADER = REPOSITORY / "node-scripts" / "grade_code.py"
MINUTE = 60

_spec = importlib.util.spec_from_file_location("grade_code", str(GRADER))
grade_code = importlib.util.module_from_spec(_spec)
sys.dont_write_bytecode = True
sys.modules["grade_code"] = grade_code
_spec.loader.exec_module(grade_code)

PERFECT = "id,target\na,0.9\nb,0.1\nc,0.8\nd,0.2\n"


class Graded(NamedTuple):
    status: int
    document: Optional[dict]
    stderr: str

    @property
    def report(self):
        return self.document["grading_report"]


def strict_json(text):
    def refuse(constant):
        raise AssertionError(f"not JSON: {constant}")
    return json.loads(text, parse_constant=refuse)


def writes(submission):
    """A solution that writes this, text or bytes."""
    content = submission if isinstance(submission, bytes) else submission.encode()
    return f"open('submission.csv', 'wb').write({content!r})"


class GraderCase(unittest.TestCase):
    def setUp(self):
        self.home = Path(tempfile.mkdtemp(prefix="grader-test-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.work = self.home / "work"
        self.results = self.home / "results.jsonl"
        self.toy = self.home / "data" / "toy"
        for folder in (self.work, self.toy / "prepared" / "public", self.toy / "prepared" / "private"):
            folder.mkdir(parents=True)
        self.describe()
        (self.toy / "leaderboard.csv").write_text("score\n" + "".join(f"0.{n}\n" for n in range(95, 45, -5)))
        (self.toy / "prepared" / "public" / "train.csv").write_text("id,target\nz,1\n")
        (self.toy / "prepared" / "private" / "answers.csv").write_text("id,target\na,1\nb,0\nc,1\nd,0\n")

    def describe(self, **changes):
        about = {"id": "toy", "metric": "auc-roc", "answers": "answers.csv", "id_column": "id", "target_column": "target"}
        (self.toy / "competition.json").write_text(json.dumps({**about, **changes}))

    def command(self, program, *options, competition="toy"):
        solution = self.home / "my solution.py"
        solution.write_bytes(program if isinstance(program, bytes) else textwrap.dedent(program).encode())
        return [sys.executable, str(GRADER), str(solution), competition, str(self.results), *options]

    def environment(self, **changes):
        kept = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
        return {**kept, "MLE_BENCH_DATA_DIR": str(self.home / "data"), **changes}

    def start(self, program, *options, **popen):
        return subprocess.Popen(self.command(program, *options), cwd=self.work, env=self.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **popen)

    def ended(self, grader):
        output, errors = grader.communicate(timeout=MINUTE)
        self.assertEqual(output, "", "the grader's own stdout stays empty")
        self.assertNotIn("Traceback (most recent call last):\n  File \"" + str(GRADER), errors)
        return Graded(grader.returncode, strict_json(self.results.read_text()) if self.results.exists() else None, errors)

    def grade(self, program, *options, **popen):
        return self.ended(self.start(program, *options, **popen))

    def until(self, condition, what):
        deadline = time.monotonic() + MINUTE
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited in vain: {what}")
            time.sleep(0.01)

    def assert_gone(self, pid_file):
        pid = int(pid_file.read_text())
        with self.assertRaises(ProcessLookupError, msg=f"process {pid} is still there"):
            os.kill(pid, 0)
