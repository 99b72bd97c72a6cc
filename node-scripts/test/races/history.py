"""Checks the history of a storm: what was called and answered, what jobs said of themselves, what was seen in the spool.

A history is a list of records, one JSON object a line; moments are microseconds of one clock:

  storm  slots, seed, at
  call   op, by (hand, serve), job, attempt, sent, answered (absent: whoever called was killed), code,
         outcome, state (of the record that was answered), alive (something of the job ran when the answer was there),
         epoch, told (list: the job, attempt and outcome of all that it said had ended)
  run    what (begin, end, clash), job, attempt, at, slots, over (clash: the slot or the job that somebody else had)
  seen   job, attempt, at, seq, state, text (of the status)
  final  job, attempt, gpus, key, state, outcome, exit_code, queued_at, started_at, ended_at,
         claims (moments at which its slots were taken)
  left   folder, entries

Each rule is a function that yields what breaks it. `python3 history.py FILE` prints that with what is known of
the jobs that it names, and exits 1 when there is something.
"""

import json
import sys
from collections import Counter, defaultdict

OUTCOMES = ("exited", "time_limit", "cancelled", "withdrawn", "system")
ORDER = ("waiting", "running", "ended")


class History:
    def __init__(self, records):
        self.records = records
        self.storm = self.of("storm")[0]
        self.calls = sorted(self.of("call"), key=lambda call: call["sent"])
        self.finals = defaultdict(list)
        for record in self.of("final"):
            self.finals[pair(record)].append(record)

    def of(self, kind):
        return [record for record in self.records if record["kind"] == kind]

    def answered(self, *ops, code=0):
        return [call for call in self.calls if call["op"] in ops and call.get("code") == code and "answered" in call]

    def runs(self, what):
        return [run for run in self.of("run") if run["what"] == what]

    def outcome(self, record):
        finals = self.finals[pair(record)]
        return finals[0].get("outcome") if finals else None


def pair(record):
    return record["job"], record["attempt"]


def named(record):
    return "{}.{}".format(*pair(record))


def acknowledged_once(history):
    """Every acknowledged submit is one job, with one terminal outcome."""
    for call in history.answered("submit"):
        finals = history.finals[pair(call)]
        if len(finals) != 1:
            yield f"{named(call)} was acknowledged and is there {len(finals)} times"
    for finals in history.finals.values():
        for final in finals:
            if final["state"] != "ended" or final.get("outcome") not in OUTCOMES:
                yield f"{named(final)} stands at {final['state']}, outcome {final.get('outcome')}"


def withdrawn_never_ran(history):
    """What was withdrawn never began, and stays withdrawn."""
    for call in history.answered("withdraw"):
        if call.get("outcome") == "withdrawn" and history.outcome(call) != "withdrawn":
            yield f"{named(call)} was answered withdrawn and ended {history.outcome(call)}"
    for run in history.runs("begin"):
        if history.outcome(run) == "withdrawn":
            yield f"{named(run)} was withdrawn and ran"


def cancelled_is_gone(history):
    """After a confirmed cancel nothing of the job runs, and cancelled it stays."""
    for call in history.answered("cancel"):
        if call.get("outcome") != "cancelled":
            continue
        if call.get("alive"):
            yield f"{named(call)} ran on when its cancel was confirmed"
        if history.outcome(call) != "cancelled":
            yield f"{named(call)} was answered cancelled and ended {history.outcome(call)}"
        for run in history.runs("begin"):
            if pair(run) == pair(call) and run["at"] > call["answered"]:
                yield f"{named(run)} began after its cancel was confirmed"


def answers_are_true(history):
    """An answer that tells an outcome tells the one that stays; nothing of the job runs any more."""
    for call in history.calls:
        if call.get("outcome") and "answered" in call and call["outcome"] != history.outcome(call):
            yield f"{call['op']} of {named(call)} was answered {call['outcome']}, it ended {history.outcome(call)}"
        for job, attempt, outcome in call.get("told", ()):
            finals = history.finals[job, attempt]
            if not finals or finals[0].get("outcome") != outcome:
                yield f"a list said that {job}.{attempt} had ended {outcome}, it ended {finals and finals[0].get('outcome')}"
        if call.get("outcome") and call.get("alive"):
            yield f"{call['op']} of {named(call)} was answered {call['outcome']}, and something of it ran"


def ran_once(history):
    """No script runs twice in an attempt; what exited, and not by a signal, ran and to its end."""
    begun, ended = (Counter(map(pair, history.runs(what))) for what in ("begin", "end"))
    for key, count in begun.items():
        if count > 1:
            yield f"{key[0]}.{key[1]} ran {count} times"
        if not history.finals[key]:
            yield f"{key[0]}.{key[1]} ran and is nowhere"
    for key, finals in history.finals.items():
        exited = finals and finals[0].get("outcome") == "exited" and finals[0].get("exit_code", 0) <= 128
        if exited and (begun[key], ended[key]) != (1, 1):
            yield f"{key[0]}.{key[1]} exited, began {begun[key]} times and came to its end {ended[key]} times"


def nothing_overlaps(history):
    """Neither two jobs on a slot nor two attempts of a job: what held a lock of the kernel, somebody else wanted."""
    for run in history.runs("clash"):
        yield f"{named(run)} found {run['over']} taken by something that ran"


def slots_suffice(history):
    """Jobs get slots that there are, as many as they asked for, and together no more than there are."""
    for run in history.runs("begin"):
        numbers = run["slots"]
        wanted = history.finals[pair(run)][0]["gpus"] if history.finals[pair(run)] else len(numbers)
        if len(set(numbers)) != wanted or not all(0 <= number < history.storm["slots"] for number in numbers):
            yield f"{named(run)} asked for {wanted} of {history.storm['slots']} slots and got {numbers}"


def order_is_kept(history):
    """On one slot: who waited when the slot became free, and had the lower key, is not passed over.

    The dispatch that gave the slot to `later` looked at the queue after the end before it; who was acknowledged before
    that end, and was there until `later` got the slot, was in what it saw.
    """
    if history.storm["slots"] != 1:
        return
    there = {}
    for call in history.answered("submit"):
        there[pair(call)] = min(call["answered"], there.get(pair(call), call["answered"]))
    claimed = sorted((final["claims"][-1], pair(final)) for finals in history.finals.values() for final in finals
                     if final["claims"])
    finals = {key: finals[0] for key, finals in history.finals.items() if finals}
    touched = {pair(call): call["sent"] for call in reversed(history.calls) if call["op"] in ("cancel", "withdraw")}
    for (_, before), (moment, later) in zip(claimed, claimed[1:]):
        freed = finals[before].get("ended_at", moment)
        for key, final in finals.items():
            waited = there.get(key, moment) < freed and (not final["claims"] or final["claims"][-1] > moment)
            if waited and touched.get(key, moment + 1) > moment and final["key"] < finals[later]["key"]:
                yield f"{named(final)} was passed over by {named(finals[later])}"


def drained_means_drained(history):
    """Between a confirmed drain and the next resume no slot is given away."""
    since = None
    claims = [(claim, final) for finals in history.finals.values() for final in finals for claim in final["claims"]]
    for call in history.calls:
        if call["op"] == "drain" and call.get("code") == 0 and "answered" in call:
            since = call["answered"]
        elif call["op"] == "resume" and since is not None:
            for claim, final in claims:
                if since < claim < call["sent"]:
                    yield f"{named(final)} was given a slot while the node was drained"
            since = None


def statuses_are_final(history):
    """A status goes forward, its seq grows with every change, and an end never changes."""
    last = {}
    for seen in history.of("seen"):
        before = last.get(pair(seen))
        last[pair(seen)] = seen
        if not before or before["text"] == seen["text"]:
            continue
        if before["state"] == "ended":
            yield f"{named(seen)} changed after its end"
        if seen["seq"] <= before["seq"]:
            yield f"{named(seen)} changed and its seq went from {before['seq']} to {seen['seq']}"
        if ORDER.index(seen["state"]) < ORDER.index(before["state"]):
            yield f"{named(seen)} went from {before['state']} to {seen['state']}"


def nothing_is_left(history):
    """When all is over no slot, ticket or upload is left."""
    for left in history.of("left"):
        if left["entries"]:
            yield f"{left['folder']} still holds {', '.join(left['entries'])}"


def codes_are_known(history):
    """Every answer is one that the pages know."""
    for call in history.calls:
        if "answered" in call and call.get("code") not in (0, 1, 64, 66, 69, 75, 77):
            yield f"{call['op']} of {call.get('job')} answered {call.get('code')}: {call.get('says', '')}"


RULES = (acknowledged_once, withdrawn_never_ran, cancelled_is_gone, answers_are_true, ran_once, nothing_overlaps, slots_suffice,
         order_is_kept, drained_means_drained, statuses_are_final, nothing_is_left, codes_are_known)


def broken(records):
    history = History(records)
    return [f"{rule.__name__}: {sentence}" for rule in RULES for sentence in rule(history)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    found = broken([json.loads(line) for line in lines])
    print(*found, sep="\n")
    for job in sorted({word.partition(".")[0] for sentence in found for word in sentence.split() if len(word) > 36}):
        print(f"--- {job}", *(line for line in lines if job in line), sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
