"""A stand-in for aira-dojo's grader, for tests: from the outside it behaves as that one does. It is our own work.

Usage: grade_code.py CODE TASK OUT [--timeout HOURS]

Exit status: 0 whatever happened, 2 for bad arguments. OUT is one JSON object, written in place: half of it can be seen, and as long as
there is a file `hold` in the checkout it stays so. There is no leaderboard here, so the thresholds are bare NaN.
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import pandas
from sklearn.metrics import roc_auc_score


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("code", type=Path)
    parser.add_argument("task")
    parser.add_argument("out", type=Path)
    parser.add_argument("--timeout", type=float, default=4.0)
    given = parser.parse_args()
    given.data = Path(os.environ["MLE_BENCH_DATA_DIR"]) / given.task
    if not given.code.is_file():
        parser.error(f"there is no file {given.code}")
    if not (given.data / "prepared").is_dir():
        parser.error(f"there is no task {given.task}")
    return given


def grade(given, scratch):
    if not Path(os.environ["SUPERIMAGE_DIR"]).is_dir():
        raise FileNotFoundError("SUPERIMAGE_DIR is no folder")
    shutil.copytree(given.data / "prepared/public", scratch / "data")
    shutil.copy(given.code, scratch / "solution.py")
    began = time.monotonic()
    solution = subprocess.Popen([sys.executable, "solution.py"], cwd=scratch, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        stdout, stderr = solution.communicate(timeout=given.timeout * 3600)
        timed_out = False
    except subprocess.TimeoutExpired:
        solution.kill()
        stdout, stderr = solution.communicate()
        timed_out = True
    finally:
        solution.kill()  # when a TERM ended us
    document = {
        "success": solution.returncode == 0,
        "exit_code": solution.returncode,
        "timed_out": timed_out,
        "exec_time": time.monotonic() - began,
        "valid_solution": False,
        "validation_fitness": None,
        "test_fitness": None,
        "error_output": stderr.splitlines(keepends=True),
        "stdout": stdout.splitlines(keepends=True),
    }
    if document["success"]:
        document["grading_report"] = report(given, scratch / "submission.csv")
        document["test_fitness"] = document["grading_report"]["score"]
        document["valid_solution"] = document["grading_report"]["valid_submission"]
    return document


def report(given, submission):
    score = None
    if submission.is_file():
        rule = json.loads((given.data / "competition.json").read_text())
        key, target = rule["id_column"], rule["target_column"]
        both = pandas.read_csv(given.data / "prepared/private" / rule["answers"]).merge(pandas.read_csv(submission), on=key)
        score = round(float(roc_auc_score(both[f"{target}_x"], both[f"{target}_y"])), 5)
    medals = ("gold", "silver", "bronze")
    return {
        "competition_id": given.task,
        "score": score,
        **{f"{name}_threshold": math.nan for name in (*medals, "median")},
        "any_medal": False,
        **{f"{name}_medal": False for name in medals},
        "above_median": False,
        "submission_exists": submission.is_file(),
        "valid_submission": score is not None,
        "is_lower_better": False,
        "created_at": datetime.now(timezone.utc).isoformat(),
        "submission_path": str(submission),
    }


def write(document, out):
    text = json.dumps(document, indent=2)
    with out.open("w") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        while os.path.exists("hold"):
            time.sleep(0.01)
        file.write(text[len(text) // 2 :])


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory() as scratch:
        try:
            document = grade(given, Path(scratch))
        except Exception as error:
            document = {"error": str(error), "success": False}
    write(document, given.out)


main()
