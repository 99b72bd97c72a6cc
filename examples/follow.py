#!/usr/bin/env python3
"""Follow a job until it has ended; print what happens to it, then its score and medals.

Usage: follow.py JOB_ID [URL]        URL is http://localhost:8001 unless given

Exits with 0 when the solution was graded, 1 when it was not, 69 when the server does not answer.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

STEPS = ("queued", "running", "ended")
REACHED = {"pending": 1, "running": 2, "completed": 3, "failed": 3, "cancelled": 3}

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url):
    """The JSON document at url, also when it describes an error."""
    try:
        with direct.open(url, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{json.load(error).get('detail', error)}") from error
    except OSError as error:
        print(f"{url} does not answer: {error}", file=sys.stderr)
        raise SystemExit(69) from error


def say(word, text):
    print(f"{word:<10} {text}", flush=True)


def follow(server, job_id):
    """Print each step once, also those that were over between two looks; return the last status."""
    told = 0
    while True:
        job = get(f"{server}/api/status/{job_id}")
        for step in STEPS[told : min(REACHED[job["status"]], 2)]:
            say(step, f"on node {job['node_id']}")
        told = REACHED[job["status"]]
        if told == 3:
            return job
        time.sleep(0.1)


def seconds(job):
    if not job["started_at"]:
        return "before it began"
    ran = datetime.fromisoformat(job["completed_at"]) - datetime.fromisoformat(job["started_at"])
    return f"after {ran.total_seconds():.1f} s"


def table(results):
    """The score beside the thresholds."""
    report = results["grading_report"]
    yield "score", results["test_fitness"], ""
    for medal in ("gold", "silver", "bronze"):
        yield medal, report[f"{medal}_threshold"], "earned" if report[f"{medal}_medal"] else ""
    yield "median", report.get("median_threshold"), "passed" if report["above_median"] else ""


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 64
    server = (sys.argv[2] if len(sys.argv) == 3 else "http://localhost:8001").rstrip("/")
    job = follow(server, sys.argv[1])
    if job["status"] != "completed":
        say(job["status"], f"{seconds(job)}: {job.get('detail') or job.get('reason') or 'no reason given'}")
        return 1
    say("graded", seconds(job))
    results = get(f"{server}/api/results/{sys.argv[1]}")["stdout"]
    print()
    for name, value, remark in table(json.loads(results)):
        print(f"  {name:<8} {value if value is not None else '-':<9} {remark}".rstrip())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
