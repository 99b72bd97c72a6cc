"""The quick start itself: what it prints, how it ends, and what it finds again."""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from outside import ROOT, PASS, URL, QuickStart, reaches, request, sleeper, submit


def server_of(data):
    """The process id of the server that works in a data directory."""
    settings = os.fsencode(f"{data}/gpuq.yaml")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if settings in (process / "cmdline").read_bytes().split(b"\0"):
                return int(process.name)
        except OSError:
            pass
    raise AssertionError(f"no server works in {data}")


class OneOfItsOwn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gpuq with blanks ", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.data = os.path.join(folder.name, "da ta")

    def quickstart(self, *arguments):
        return QuickStart(self.data, 8002, *arguments)

    def test_once_prints_every_step_and_the_score_and_ends(self):
        once = subprocess.run(
            [ROOT / "quickstart", "--once", "--port", "8002", "--data", self.data], capture_output=True, text=True, check=False
        )
        self.assertEqual((0, ""), (once.returncode, once.stderr), once.stdout)
        words = re.findall(r"^ *(\w+)", once.stdout, re.M)
        self.assertEqual(
            ["started", "submitted", "queued", "running", "graded", "score", "gold", "silver", "bronze", "median"], words
        )
        with self.assertRaises(AssertionError):
            server_of(self.data)

    def test_started_again_it_finds_its_jobs_again(self):
        with self.quickstart() as first:
            waited = submit(PASS, wait=True, url=first.url).json
        with self.quickstart() as second:
            self.assertNotIn("building", second.printed)
            again = request("GET", f"/api/results/{waited['job_id']}", url=second.url).json
        self.assertEqual(waited["stdout"], again["stdout"])

    def test_a_job_goes_on_while_the_server_is_away(self):
        with self.quickstart() as first:
            job = submit(sleeper(3), url=first.url).json["job_id"]
            reaches(job, "running", url=first.url)
        with self.quickstart() as second:
            self.assertEqual(0, reaches(job, "completed", url=second.url)["exit_code"])

    def test_a_killed_server_is_told_and_loses_nothing(self):
        with self.quickstart() as first:
            jobs = [submit(sleeper(1), url=first.url).json["job_id"] for _ in range(4)]
            os.kill(server_of(self.data), signal.SIGKILL)
            self.assertNotEqual(0, first.process.wait(timeout=10))
            self.assertIn("the server has ended by itself", first.printed)
        with self.quickstart() as second:
            for job in jobs:
                self.assertEqual(0, reaches(job, "completed", url=second.url)["exit_code"])

    def test_told_to_stop_it_answers_those_who_wait(self):
        with self.quickstart() as running, concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiter = pool.submit(submit, sleeper(20), wait=True, url=running.url)
            job = self.the_running_job(running)
            self.assertEqual(143, running.stop())
            answer = waiter.result(timeout=30)
        self.assertEqual((200, job), (answer.status, answer.json["job_id"]))
        self.assertIn(answer.json["status"], ("pending", "running"))
        self.assertTrue(answer.json["message"])

    def the_running_job(self, quickstart):
        for _ in range(200):
            jobs = request("GET", "/api/jobs?status=running", url=quickstart.url).json["jobs"]
            if jobs:
                return jobs[0]["job_id"]
            time.sleep(0.05)
        raise AssertionError("no job runs")

    def test_as_many_nodes_as_asked_for(self):
        with self.quickstart("--nodes", "3") as three:
            nodes = request("GET", "/api/nodes", url=three.url).json["nodes"]
        self.assertEqual([0, 1, 2], [node["node_id"] for node in nodes])

    def test_a_second_one_on_the_same_port_is_refused(self):
        second = subprocess.run(
            [ROOT / "quickstart", "--data", self.data], capture_output=True, text=True, check=False
        )
        self.assertNotEqual(0, second.returncode)
        self.assertRegex(second.stderr, r"^quickstart: port 8001 is taken[^\n]*\n$")
        self.assertEqual(200, request("GET", "/health", url=URL).status)


if __name__ == "__main__":
    unittest.main()
