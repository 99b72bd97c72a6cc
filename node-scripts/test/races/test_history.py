"""A sound history passes; a history that breaks a rule is told by that rule."""

import copy
import unittest

import history

SOUND = [
    {"kind": "storm", "slots": 1, "seed": 1},
    {"kind": "call", "op": "drain", "sent": 1, "answered": 2, "code": 0},
    {"kind": "call", "op": "submit", "job": "a", "attempt": 1, "sent": 10, "answered": 12, "code": 0},
    {"kind": "call", "op": "submit", "job": "b", "attempt": 1, "sent": 13, "answered": 14, "code": 0},
    {"kind": "call", "op": "submit", "job": "w", "attempt": 1, "sent": 13, "answered": 15, "code": 0},
    {"kind": "call", "op": "submit", "job": "c", "attempt": 1, "sent": 16, "answered": 17, "code": 0},
    {"kind": "call", "op": "withdraw", "job": "w", "attempt": 1, "sent": 18, "answered": 19, "code": 0, "outcome": "withdrawn"},
    {"kind": "call", "op": "resume", "sent": 20, "answered": 21, "code": 0},
    {"kind": "call", "op": "cancel", "job": "c", "attempt": 1, "sent": 70, "answered": 75, "code": 0, "outcome": "cancelled",
     "alive": False},
    {"kind": "run", "what": "begin", "job": "a", "attempt": 1, "at": 31, "slots": [0]},
    {"kind": "run", "what": "end", "job": "a", "attempt": 1, "at": 32, "slots": [0]},
    {"kind": "run", "what": "begin", "job": "b", "attempt": 1, "at": 51, "slots": [0]},
    {"kind": "run", "what": "end", "job": "b", "attempt": 1, "at": 52, "slots": [0]},
    {"kind": "run", "what": "begin", "job": "c", "attempt": 1, "at": 66, "slots": [0]},
    {"kind": "seen", "job": "a", "attempt": 1, "at": 30, "seq": 2, "state": "running", "text": "running"},
    {"kind": "seen", "job": "a", "attempt": 1, "at": 41, "seq": 3, "state": "ended", "text": "ended"},
    {"kind": "final", "job": "a", "attempt": 1, "gpus": 1, "key": 10, "state": "ended", "outcome": "exited", "ended_at": 40,
     "claims": [25]},
    {"kind": "final", "job": "b", "attempt": 1, "gpus": 1, "key": 13, "state": "ended", "outcome": "exited", "ended_at": 60,
     "claims": [45]},
    {"kind": "final", "job": "c", "attempt": 1, "gpus": 1, "key": 16, "state": "ended", "outcome": "cancelled", "ended_at": 74,
     "claims": [65]},
    {"kind": "final", "job": "w", "attempt": 1, "gpus": 1, "key": 11, "state": "ended", "outcome": "withdrawn", "ended_at": 19,
     "claims": []},
    {"kind": "left", "folder": "slots", "entries": []},
]


class TestHistory(unittest.TestCase):
    def setUp(self):
        self.records = copy.deepcopy(SOUND)

    def record(self, **fields):
        return next(record for record in self.records if fields.items() <= record.items())

    def add(self, **fields):
        self.records.append(fields)

    def breaks(self, rule):
        self.assertIn(rule.__name__, {sentence.partition(":")[0] for sentence in history.broken(self.records)})

    def test_a_sound_one_breaks_nothing(self):
        self.assertEqual(history.broken(self.records), [])

    def test_an_acknowledged_submit_that_is_nowhere(self):
        self.records.remove(self.record(kind="final", job="w"))
        self.breaks(history.acknowledged_once)

    def test_a_job_that_is_there_twice(self):
        self.add(**self.record(kind="final", job="a"))
        self.breaks(history.acknowledged_once)

    def test_a_job_without_an_end(self):
        self.record(kind="final", job="b")["state"] = "running"
        self.breaks(history.acknowledged_once)

    def test_a_withdrawn_job_that_ran(self):
        self.add(kind="run", what="begin", job="w", attempt=1, at=30, slots=[0])
        self.breaks(history.withdrawn_never_ran)

    def test_a_withdrawal_that_did_not_last(self):
        self.record(kind="final", job="w")["outcome"] = "exited"
        self.breaks(history.withdrawn_never_ran)

    def test_something_that_outlives_its_cancel(self):
        self.record(op="cancel")["alive"] = True
        self.breaks(history.cancelled_is_gone)

    def test_a_cancel_that_did_not_last(self):
        self.record(kind="final", job="c")["outcome"] = "exited"
        self.breaks(history.cancelled_is_gone)

    def test_a_job_that_begins_after_its_cancel(self):
        self.record(what="begin", job="c")["at"] = 80
        self.breaks(history.cancelled_is_gone)

    def test_an_exit_that_was_answered_and_is_not_true(self):
        self.add(kind="call", op="cancel", job="c", attempt=1, sent=76, answered=77, code=1, outcome="exited")
        self.breaks(history.answers_are_true)

    def test_an_end_that_was_answered_while_something_ran(self):
        self.add(kind="call", op="status", job="a", attempt=1, sent=41, answered=42, code=0, outcome="exited", alive=True)
        self.breaks(history.answers_are_true)

    def test_a_script_that_ran_twice(self):
        self.add(kind="run", what="begin", job="a", attempt=1, at=35, slots=[0])
        self.breaks(history.ran_once)

    def test_a_script_that_exited_before_its_end(self):
        self.records.remove(self.record(what="end", job="b"))
        self.breaks(history.ran_once)

    def test_a_script_that_ran_and_is_nowhere(self):
        self.add(kind="run", what="begin", job="x", attempt=1, at=35, slots=[0])
        self.breaks(history.ran_once)

    def test_two_on_one_slot_or_two_attempts_at_once(self):
        for over in ("slot-0", "job-a"):
            self.setUp()
            self.add(kind="run", what="clash", job="b", attempt=1, at=51, slots=[0], over=over)
            self.breaks(history.nothing_overlaps)

    def test_a_slot_that_there_is_not(self):
        self.record(what="begin", job="a")["slots"] = [1]
        self.breaks(history.slots_suffice)

    def test_fewer_slots_than_were_asked_for(self):
        self.record(kind="final", job="a")["gpus"] = 2
        self.breaks(history.slots_suffice)

    def test_a_later_one_that_overtakes(self):
        self.record(kind="final", job="b")["claims"], self.record(kind="final", job="c")["claims"] = [65], [45]
        self.breaks(history.order_is_kept)

    def test_a_start_while_drained(self):
        self.record(kind="final", job="a")["claims"] = [15]
        self.breaks(history.drained_means_drained)

    def test_an_end_that_changes(self):
        self.add(kind="seen", job="a", attempt=1, at=50, seq=4, state="ended", text="ended otherwise")
        self.breaks(history.statuses_are_final)

    def test_a_seq_that_stands_still(self):
        self.record(kind="seen", state="ended")["seq"] = 2
        self.breaks(history.statuses_are_final)

    def test_a_state_that_goes_back(self):
        self.record(kind="seen", state="ended").update(state="waiting")
        self.breaks(history.statuses_are_final)

    def test_a_slot_that_is_lost(self):
        self.record(kind="left")["entries"] = ["slot0"]
        self.breaks(history.nothing_is_left)

    def test_an_answer_that_no_page_knows(self):
        self.record(op="drain")["code"] = 2
        self.breaks(history.codes_are_known)


if __name__ == "__main__":
    unittest.main()
