"""The checker finds what is wrong: each rule is broken once, in a history that is sound otherwise."""

import unittest

import history


def sound():
    """Two nodes; a ran and was completed; b was failed by the system on node 0 and completed on node 1; c was cancelled."""
    job = {"user": "sarang", "reason": None, "exit_code": 0, "attempts": [], "documents": ["d", "d"]}
    sealed = {"kind": "sealed", "state": "ended", "outcome": "exited", "promised": "d", "document": "d", "claims": []}
    run = {"kind": "run", "slots": [0], "over": "-"}
    call = {"kind": "call", "server": 0, "code": 200}
    return [
        {"kind": "storm", "seed": 1, "slots": {"0": 1, "1": 1}},
        call | {"op": "submit", "token": "ta", "sent": 1, "answered": 2, "job": "a", "status": "pending"},
        call | {"op": "submit", "token": "tb", "sent": 3, "answered": 4, "job": "b", "status": "pending"},
        {"kind": "call", "op": "submit", "token": "tc", "server": 0, "sent": 5},
        call | {"op": "submit", "token": "tc", "sent": 6, "answered": 7, "job": "c", "status": "pending"},
        run | {"what": "begin", "job": "a", "attempt": 1, "node": 0, "at": 10, "token": "ta"},
        run | {"what": "end", "job": "a", "attempt": 1, "node": 0, "at": 20, "token": "ta"},
        run | {"what": "begin", "job": "b", "attempt": 1, "node": 0, "at": 30, "token": "tb"},
        run | {"what": "begin", "job": "b", "attempt": 2, "node": 1, "at": 40, "token": "tb"},
        run | {"what": "end", "job": "b", "attempt": 2, "node": 1, "at": 50, "token": "tb"},
        call | {"op": "cancel", "sent": 60, "answered": 61, "job": "c", "status": "cancelled", "alive": []},
        call | {"op": "drain", "node": 1, "sent": 70, "answered": 71},
        call | {"op": "resume", "node": 1, "sent": 80, "answered": 81},
        call | {"op": "results", "sent": 90, "answered": 91, "job": "a", "status": "completed", "completed_at": 21, "exit_code": 0, "document": "d"},
        sealed | {"job": "a", "attempt": 1, "node": 0, "token": "ta", "claims": [9]},
        sealed | {"job": "b", "attempt": 1, "node": 0, "token": "tb", "outcome": "system", "promised": None, "document": None, "claims": [29]},
        sealed | {"job": "b", "attempt": 2, "node": 1, "token": "tb", "claims": [39]},
        sealed | {"job": "c", "attempt": 1, "node": 1, "token": "tc", "outcome": "cancelled", "promised": None, "document": None},
        job | {"kind": "ended", "job": "a", "status": "completed", "node": 0, "completed_at": 21},
        job | {"kind": "ended", "job": "b", "status": "completed", "node": 1, "completed_at": 51,
               "attempts": [{"attempt": 1, "node": 0, "reason": "supervisor_lost", "ended_at": 35}]},
        job | {"kind": "ended", "job": "c", "status": "cancelled", "node": 1, "completed_at": 61, "exit_code": None, "documents": ["e", "e"]},
    ]


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.records = sound()

    def record(self, **fields):
        return next(record for record in self.records if fields.items() <= record.items())

    def add(self, **fields):
        self.records.append(fields)

    def copy(self, changes, **fields):
        self.records.append(self.record(**fields) | changes)

    def breaks(self, rule):
        self.assertIn(rule.__name__, {sentence.partition(":")[0] for sentence in history.broken(self.records)})

    def keeps(self):
        self.assertEqual(history.broken(self.records), [])

    def test_a_sound_one_breaks_nothing(self):
        self.keeps()

    def test_an_acknowledged_submit_that_is_nowhere(self):
        self.records.remove(self.record(kind="ended", job="c"))
        self.breaks(history.acknowledged_is_one_job)

    def test_a_job_that_is_listed_twice(self):
        self.copy({}, kind="ended", job="a")
        self.breaks(history.acknowledged_is_one_job)

    def test_a_job_without_an_end(self):
        self.record(kind="ended", job="a")["status"] = "running"
        self.breaks(history.acknowledged_is_one_job)

    def test_a_key_that_makes_two_acknowledged_jobs(self):
        self.record(op="submit", job="c")["token"] = "ta"
        self.breaks(history.token_is_one_job)

    def test_a_submit_that_nobody_acknowledged_and_that_made_two(self):
        self.copy({"job": "x", "token": "tx"}, kind="sealed", job="a")
        self.copy({"job": "y", "token": "tx"}, kind="sealed", job="a")
        self.breaks(history.token_is_one_job)

    def test_an_attempt_that_runs_twice(self):
        self.copy({"node": 1, "at": 12}, what="begin", job="a")
        self.breaks(history.runs_once)

    def test_a_job_that_runs_and_is_nowhere(self):
        self.copy({"job": "x"}, what="begin", job="a")
        self.breaks(history.runs_once)

    def test_a_score_without_a_run(self):
        self.records.remove(self.record(what="end", job="a"))
        self.breaks(history.completed_has_run)

    def test_two_attempts_at_once(self):
        self.copy({"what": "clash", "over": "job-b=b.1@0"}, what="begin", job="b", attempt=2)
        self.breaks(history.nothing_overlaps)

    def test_a_slot_with_two_jobs(self):
        self.copy({"what": "clash", "over": "slot-1-0=a.1@1"}, what="begin", job="b", attempt=2)
        self.breaks(history.nothing_overlaps)

    def test_an_old_attempt_on_a_node_that_was_given_up_may_run_on(self):
        self.add(kind="call", op="lost", node=0, server=0, sent=32, answered=33, code=200)
        self.copy({"what": "clash", "over": "job-b=b.1@0"}, what="begin", job="b", attempt=2)
        self.keeps()

    def test_a_slot_that_there_is_not(self):
        self.record(what="begin", job="a")["slots"] = [1]
        self.breaks(history.slots_suffice)

    def test_a_job_without_a_slot(self):
        self.record(what="begin", job="a")["slots"] = []
        self.breaks(history.slots_suffice)

    def test_more_at_once_than_slots(self):
        self.record(what="end", job="b").update(node=0)
        self.record(what="begin", job="b", attempt=2).update(node=0, at=15)
        self.breaks(history.slots_suffice)

    def test_results_that_are_not_the_sealed_ones(self):
        self.record(kind="ended", job="a")["documents"] = ["f", "f"]
        self.record(op="results")["document"] = "f"
        self.breaks(history.results_are_the_sealed_ones)

    def test_results_that_differ_from_server_to_server(self):
        self.record(kind="ended", job="b")["documents"] = ["d", "f"]
        self.breaks(history.results_are_the_sealed_ones)

    def test_results_of_an_earlier_attempt(self):
        self.record(kind="sealed", job="b", attempt=1).update(promised="d", document="d")
        self.record(kind="sealed", job="b", attempt=2).update(promised="f", document="f")
        self.breaks(history.results_are_the_sealed_ones)

    def test_results_that_no_node_sealed(self):
        self.records.remove(self.record(kind="sealed", job="b", attempt=2))
        self.breaks(history.results_are_the_sealed_ones)

    def test_results_of_a_node_that_was_given_up_are_nobodys(self):
        self.add(kind="call", op="lost", node=0, server=0, sent=12, answered=13, code=200)
        self.record(kind="ended", job="a").update(status="failed", reason="node_lost", documents=["e", "e"])
        self.records.remove(self.record(op="results"))
        self.keeps()

    def test_results_that_changed_when_they_were_sealed(self):
        self.record(kind="sealed", job="a")["document"] = "f"
        self.breaks(history.results_are_the_sealed_ones)

    def test_a_terminal_status_that_changes(self):
        self.record(op="results")["status"] = "failed"
        self.breaks(history.statuses_are_final)

    def test_an_end_that_comes_again(self):
        self.record(op="results")["completed_at"] = 20
        self.breaks(history.statuses_are_final)

    def test_an_end_that_is_taken_back_for_a_while(self):
        self.copy({"status": "running", "sent": 92, "answered": 93}, op="results")
        self.breaks(history.statuses_are_final)

    def test_something_that_outlives_its_cancel(self):
        self.record(op="cancel")["alive"] = [[1, 1]]
        self.breaks(history.cancelled_is_gone)

    def test_something_that_begins_after_its_cancel(self):
        self.copy({"job": "c", "token": "tc", "at": 62, "node": 1}, what="begin", job="a")
        self.breaks(history.cancelled_is_gone)

    def test_a_silent_node_whose_job_is_given_to_another(self):
        self.record(kind="ended", job="b")["attempts"][0]["reason"] = "node_lost"
        self.breaks(history.silence_is_no_end)

    def test_a_node_that_was_given_up_too_late(self):
        self.record(kind="ended", job="b")["attempts"][0]["reason"] = "node_lost"
        self.add(kind="call", op="lost", node=0, server=0, sent=36, answered=37, code=200)
        self.breaks(history.silence_is_no_end)

    def test_an_order_to_give_up_that_may_have_been_done_is_one(self):
        self.record(kind="ended", job="b")["attempts"][0]["reason"] = "node_lost"
        self.add(kind="call", op="lost", node=0, server=0, sent=32, answered=33, code=503, says="another server leads this queue")
        self.breaks(history.silence_is_no_end)
        self.add(kind="call", op="lost", node=0, server=0, sent=33, answered=34, code=503, says="it may or may not have been done")
        self.keeps()

    def test_an_attempt_that_is_over_and_whose_node_does_not_say_so(self):
        self.record(kind="sealed", job="b", attempt=1)["state"] = "running"
        self.breaks(history.silence_is_no_end)

    def test_a_job_that_was_moved_away_and_ran(self):
        self.record(kind="ended", job="b")["attempts"][0]["reason"] = "moved"
        self.breaks(history.silence_is_no_end)

    def test_a_start_while_drained(self):
        self.record(kind="sealed", job="b", attempt=2)["claims"] = [75]
        self.breaks(history.drained_means_drained)

    def test_a_start_while_drained_by_a_clock_that_was_wrong(self):
        self.record(kind="sealed", job="b", attempt=2)["claims"] = [75]
        self.add(kind="deed", deed="jump", to=1, at=74)
        self.keeps()

    def test_a_resume_of_an_overtaken_server(self):
        self.record(op="drain")["server"] = 1
        self.record(op="resume")["sent"] = 100
        self.record(op="resume")["answered"] = 101
        self.add(kind="call", op="resume", node=1, server=0, sent=65)
        self.record(kind="sealed", job="b", attempt=2)["claims"] = [75]
        self.breaks(history.drained_means_drained)

    def test_a_resume_that_may_have_been_late(self):
        self.add(kind="call", op="resume", node=1, server=0, sent=65)
        self.record(kind="sealed", job="b", attempt=2)["claims"] = [75]
        self.keeps()

    def test_what_never_ends(self):
        self.add(kind="late", what="job a (pending)")
        self.breaks(history.nobody_waits_for_ever)


if __name__ == "__main__":
    unittest.main()
