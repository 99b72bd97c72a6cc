"""The REST API from outside, field for field as it is published."""

import concurrent.futures
import json
import os
import pathlib
import unittest

from outside import CRASH, PASS, cancel, config, form, reaches, request, sleeper, status, submit, until

MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$"
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class Submitting(unittest.TestCase):
    def test_a_waited_submit_brings_the_results_document(self):
        answer = submit(PASS, wait=True)
        self.assertEqual(200, answer.status, answer)
        job = answer.json
        self.assertRegex(job["job_id"], UUID)
        self.assertIn(job["node_id"], (0, 1))
        self.assertEqual(("completed", 0, ""), (job["status"], job["exit_code"], job["stderr"]), job)
        self.assertRegex(job["started_at"], MOMENT)
        self.assertRegex(job["completed_at"], MOMENT)
        results = json.loads(job["stdout"])
        report = results["grading_report"]
        self.assertEqual(
            (True, 0, False, True), tuple(results[k] for k in ("success", "exit_code", "timed_out", "valid_solution"))
        )
        self.assertEqual(results["test_fitness"], report["score"])
        self.assertEqual(
            [0.97908, 0.76482, 0.6921], [report[f"{medal}_threshold"] for medal in ("gold", "silver", "bronze")]
        )

    def test_waiting_is_the_default(self):
        body, kind = form(code=PASS, config_file=config())
        self.assertEqual("completed", request("POST", "/api/submit", body, kind).json["status"])

    def test_a_submit_that_does_not_wait_is_answered_at_once(self):
        job = submit(PASS).json
        self.assertEqual({"job_id", "node_id", "status", "message", "created_at"}, set(job))
        self.assertEqual("pending", job["status"])
        self.assertEqual("Job submitted successfully. Use /api/status/{job_id} to check progress.", job["message"])
        self.assertRegex(job["created_at"], MOMENT)
        reaches(job["job_id"], "completed")

    def test_a_crash_is_failed_with_a_document_and_thresholds(self):
        job = submit(CRASH, wait=True).json
        self.assertEqual("failed", job["status"])
        results = json.loads(job["stdout"])
        self.assertIsNone(results["test_fitness"])
        self.assertFalse(results["valid_solution"])
        self.assertEqual(0.6921, results["grading_report"]["bronze_threshold"])
        self.assertTrue(status(job["job_id"])["reason"])

    def test_the_same_idempotency_key_is_the_same_job(self):
        key = {"Idempotency-Key": os.urandom(8).hex()}
        body, kind = form(code=PASS, config_file=config())
        first, again = (request("POST", "/api/submit?wait=false", body, kind | key).json for _ in range(2))
        self.assertEqual(first["job_id"], again["job_id"])
        self.assertEqual(422, submit(CRASH, headers=key).status)

    def test_parallel_submits_spread_evenly(self):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            jobs = [answer.json for answer in pool.map(submit, [sleeper(60)] * 20)]
        nodes = [job["node_id"] for job in jobs]
        try:
            self.assertLessEqual(abs(nodes.count(0) - nodes.count(1)), 1)
        finally:
            for job in jobs:
                cancel(job["job_id"])
            for job in jobs:
                reaches(job["job_id"], "cancelled")


class Reading(unittest.TestCase):
    def test_status_has_every_published_field(self):
        job = submit(PASS, wait=True).json["job_id"]
        now = status(job)
        self.assertLessEqual(
            {"job_id", "status", "node_id", "queue_position", "created_at", "started_at", "completed_at", "exit_code"},
            set(now),
        )
        self.assertEqual(("completed", None, 0), (now["status"], now["queue_position"], now["exit_code"]))

    def test_results_repeat_what_the_waiter_got(self):
        waited = submit(PASS, wait=True).json
        fetched = request("GET", f"/api/results/{waited['job_id']}").json
        for field in ("job_id", "status", "stdout", "stderr", "exit_code", "started_at", "completed_at"):
            self.assertEqual(waited[field], fetched[field], field)

    def test_results_too_early_are_the_status_and_nulls(self):
        job = submit(sleeper(60)).json["job_id"]
        early = request("GET", f"/api/results/{job}")
        self.assertEqual((200, None, None), (early.status, early.json["stdout"], early.json["completed_at"]))
        cancel(job)
        reaches(job, "cancelled")

    def test_the_results_file_has_the_public_name_and_the_same_bytes(self):
        job = submit(PASS, wait=True).json
        moment = job["completed_at"].split(".")[0].translate(str.maketrans("T", "_", "-:"))
        found = list((pathlib.Path(os.environ["GPUQ_DATA"]) / "jobs/results").glob(f"sarang_*_{moment}*.jsonl"))
        self.assertIn(job["stdout"], [file.read_text() for file in found])

    def test_nodes_show_their_queues(self):
        nodes = request("GET", "/api/nodes").json["nodes"]
        self.assertEqual([0, 1], [node["node_id"] for node in nodes])
        for node in nodes:
            self.assertLessEqual({"node_id", "ip", "queue_length", "total_wait_time", "status"}, set(node))
            self.assertEqual("active", node["status"])

    def test_jobs_are_listed_newest_first_and_filtered(self):
        newest = submit(PASS, wait=True).json["job_id"]
        listed = request("GET", "/api/jobs?user_id=sarang&status=completed&limit=2").json["jobs"]
        self.assertEqual(newest, listed[0]["job_id"])
        self.assertLessEqual(len(listed), 2)
        self.assertLessEqual({"job_id", "user_id", "status", "node_id", "created_at", "completed_at"}, set(listed[0]))
        self.assertEqual([], request("GET", "/api/jobs?user_id=nobody").json["jobs"])

    def test_a_placeholder_token_on_a_read_is_ignored(self):
        answer = request("GET", "/api/jobs", headers={"Authorization": "Bearer YOUR_TOKEN"})
        self.assertEqual(200, answer.status)

    def test_documentation_and_description_come_from_the_server_itself(self):
        page = request("GET", "/docs").body.decode() + request("GET", "/docs/").body.decode()
        self.assertIn("swagger", page.lower())
        description = request("GET", "/openapi", headers={"Accept": "application/json"})
        self.assertIn(b"/api/submit", description.body)


class Cancelling(unittest.TestCase):
    def test_a_running_job_is_cancelled_and_its_waiter_answered(self):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            known = {job["job_id"] for job in request("GET", "/api/jobs").json["jobs"]}
            waiter = pool.submit(submit, sleeper(60), wait=True)
            job = until(lambda: new_jobs(known), "the new job").pop()
            reaches(job, "running")
            answer = cancel(job)
            self.assertEqual(200, answer.status, answer)
            self.assertEqual({"message": "Job cancelled successfully", "status": "cancelled"}, answer.json)
            waited = waiter.result(60).json
        self.assertEqual(("cancelled", None, ""), (waited["status"], waited["exit_code"], waited["stdout"]))

    def test_what_has_ended_cannot_be_cancelled(self):
        job = submit(PASS, wait=True).json["job_id"]
        self.assertEqual(409, cancel(job).status)

    def test_only_with_a_token_and_only_ones_own(self):
        job = submit(sleeper(60)).json["job_id"]
        self.assertEqual(401, request("POST", f"/api/cancel/{job}", b"").status)
        self.assertEqual(401, cancel(job, "wrong").status)
        self.assertEqual(200, cancel(job).status)


def new_jobs(known):
    return {job["job_id"] for job in request("GET", "/api/jobs").json["jobs"]} - known


class Refusing(unittest.TestCase):
    def assert_problem(self, expected, answer, *words):
        self.assertEqual(expected, answer.status, answer)
        self.assertEqual("application/problem+json", answer.headers.get_content_type(), answer)
        problem = answer.json
        self.assertEqual(problem["detail"], problem["message"])
        for word in words:
            self.assertIn(word, answer.body.decode())

    def test_all_faults_of_a_configuration_at_once(self):
        answer = submit(PASS, competition_id="../etc", expected_time=-1, colour="blue")
        self.assert_problem(400, answer, "competition_id", "expected_time", "colour")
        self.assertGreaterEqual(len(answer.json["errors"]), 3)

    def test_a_competition_that_nobody_knows(self):
        self.assert_problem(400, submit(PASS, competition_id="no-such-thing"), "no-such-thing")

    def test_a_wrong_token(self):
        self.assert_problem(401, submit(PASS, token="wrong"))

    def test_a_part_that_is_missing(self):
        body, kind = form(config_file=config())
        self.assert_problem(400, request("POST", "/api/submit", body, kind), "code")

    def test_code_that_is_empty_or_too_long(self):
        self.assert_problem(400, submit(""), "code")
        self.assert_problem(413, submit("#" * (1 << 20) + "\n"))

    def test_a_body_of_the_wrong_kind(self):
        self.assert_problem(415, request("POST", "/api/submit", b"{}", {"Content-Type": "application/json"}))

    def test_a_job_that_is_not_there(self):
        self.assert_problem(404, request("GET", "/api/status/00000000-0000-0000-0000-000000000000"))
        self.assert_problem(404, request("GET", "/api/nothing"))

    def test_a_method_that_is_not_allowed(self):
        answer = request("DELETE", "/api/jobs")
        self.assert_problem(405, answer)
        self.assertIn("GET", answer.headers["Allow"])

    def test_a_filter_that_makes_no_sense(self):
        self.assert_problem(400, request("GET", "/api/jobs?status=done"), "status")
        self.assert_problem(400, request("GET", "/api/jobs?limit=0"), "limit")


if __name__ == "__main__":
    unittest.main()
