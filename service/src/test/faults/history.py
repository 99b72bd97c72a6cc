"""Checks the history of a storm over servers and nodes: what was asked and answered, what ran, what the nodes sealed.

A history is a list of records, one JSON object a line; moments are microseconds of one clock:

  storm   seed, slots (node -> how many)
  call    op (submit, cancel, status, results, drain, resume, lost, operator), server, token, job, node, sent, answered (absent: nobody
          knows what came of it), code, says (why not), status, document (hash of what it brought), alive (attempts that ran when the answer
          was there)
  run     what (begin, end, clash), job, attempt, node, at, slots, token, over (clash: the slot or job, and who had it)
  sealed  what a node's spool says in the end: job, attempt, node, origin, token, state, outcome, started_at, ended_at, claims (moments at
          which it was given slots), promised (hash of the results in the status), document (hash of what lies there)
  ended   what the servers say in the end: job, user, status, node, reason, completed_at, exit_code,
          attempts (list: attempt, node, reason, ended_at), documents (list: one for each server)
  node    what the servers say in the end: node, status
  late    what (a job, a call, a node) still had no end when everybody's patience was over
  deed    what was done to whom: for people

Each rule is a function that yields what breaks it. `python3 history.py FILE` prints that with what is known of the jobs that it names,
and exits 1 when there is something.
"""

import json
import sys
from collections import defaultdict

TERMINAL = ("completed", "failed", "cancelled")


class History:
    def __init__(self, records):
        self.records = records
        self.storm = self.of("storm")[0]
        self.calls = sorted(self.of("call"), key=lambda call: call["sent"])
        self.ended = defaultdict(list)
        for record in self.of("ended"):
            self.ended[record["job"]].append(record)
        self.sealed = {(record["job"], record["attempt"], record["node"]): record for record in self.of("sealed")}

    def of(self, kind):
        return [record for record in self.records if record["kind"] == kind]

    def runs(self, what):
        return [run for run in self.of("run") if run["what"] == what]

    def answered(self, *ops):
        return [call for call in self.calls if call["op"] in ops and "answered" in call]

    def acknowledged(self):
        return [call for call in self.answered("submit", "operator") if call.get("code") == 200]

    def given_up(self, node, before):
        """Whether an administrator may have declared the node lost before that moment."""
        return any(call["op"] == "lost" and call["node"] == node and call["sent"] <= before and may_be_done(call) for call in self.calls)


def may_be_done(call):
    """Done, or nobody knows: a server that is killed, or whose database or node is silent, may have come to it."""
    return call.get("code", 200) == 200 or call["code"] == 503 and "another server leads" not in call.get("says", "")


def named(record):
    return f"{record['job']}.{record['attempt']}" if "attempt" in record else record["job"]


def acknowledged_is_one_job(history):
    """Every acknowledged submit is exactly one job, with one terminal status."""
    for call in history.acknowledged():
        found = history.ended[call["job"]]
        if len(found) != 1:
            yield f"{named(call)} was acknowledged and is there {len(found)} times"
    for job, records in history.ended.items():
        for record in records:
            if record["status"] not in TERMINAL:
                yield f"{job} stands at {record['status']}"


def token_is_one_job(history):
    """Neither a key that was sent again nor one that nobody acknowledged makes two jobs."""
    jobs = defaultdict(set)
    for record in [*history.acknowledged(), *history.of("sealed"), *history.runs("begin")]:
        if record.get("token"):
            jobs[record["token"]].add(record["job"])
    for token, made in jobs.items():
        if len(made) > 1:
            yield f"one submit, {token}, made the jobs {', '.join(sorted(made))}"


def runs_once(history):
    """No attempt runs twice, wherever; nothing runs that nobody knows."""
    begun = defaultdict(list)
    for run in history.runs("begin"):
        begun[run["job"], run["attempt"]].append(run["node"])
        if not history.ended[run["job"]]:
            yield f"{named(run)} ran on node {run['node']} and is nowhere"
    for (job, attempt), nodes in begun.items():
        if len(nodes) > 1:
            yield f"{job}.{attempt} ran {len(nodes)} times, on the nodes {nodes}"


def completed_has_run(history):
    """What is completed has run to its end where it is said to have run: nobody makes a score up, and the witness is not blind."""
    seen = {(run["job"], run["attempt"], run["node"]) for run in history.runs("end")}
    for record in (record for records in history.ended.values() for record in records):
        attempt = len(record["attempts"]) + 1
        if record["status"] == "completed" and (record["job"], attempt, record["node"]) not in seen:
            yield f"{named(record)} is completed, and nobody saw attempt {attempt} end on node {record['node']}"


def nothing_overlaps(history):
    """Of the attempts of a job only those on nodes that were given up may outlive the next; a slot is never shared."""
    for run in history.runs("clash"):
        thing, _, holder = run["over"].partition("=")
        earlier, _, node = holder.partition("@")
        ours = thing.startswith("job-") and node.isdigit() and earlier != named(run) and history.given_up(int(node), run["at"])
        if not ours:
            yield f"{named(run)} found {thing} taken by {holder or 'somebody'} on node {run['node']}"


def slots_suffice(history):
    """Jobs get slots that there are, and no more run at once than there are slots."""
    moments = defaultdict(list)
    ends = {(run["job"], run["attempt"], run["node"]): run["at"] for run in history.runs("end")}
    for run in history.runs("begin"):
        slots = history.storm["slots"][str(run["node"])]
        if not run["slots"] or not all(0 <= slot < slots for slot in run["slots"]):
            yield f"{named(run)} has the slots {run['slots']} of {slots} on node {run['node']}"
        end = ends.get((run["job"], run["attempt"], run["node"]))
        if end:
            moments[run["node"]] += [(run["at"], 1, named(run)), (end, -1, named(run))]
    for node, changes in moments.items():
        running = 0
        for _, change, who in sorted(changes):
            running += change
            if change > 0 and running > history.storm["slots"][str(node)]:
                yield f"{who} is one of {running} that run at once on node {node}"


def results_are_the_sealed_ones(history):
    """What is answered is what the node of the present attempt sealed, byte for byte, whichever server is asked."""
    for record in (record for records in history.ended.values() for record in records):
        attempt = len(record["attempts"]) + 1
        sealed = history.sealed.get((record["job"], attempt, record["node"]))
        told = {*record["documents"], *(call["document"] for call in history.answered("submit", "results")
                                        if call.get("job") == record["job"] and call.get("document"))}
        if len(told) > 1:
            yield f"{named(record)} has {len(told)} different results"
        if record["user"] == "operator" or record["status"] == "cancelled" or record["reason"] == "node_lost":
            continue  # what a node sealed after it was given up is nobody's
        if record["status"] == "completed" and not (sealed and sealed.get("promised")):
            yield f"{named(record)} is completed, and node {record['node']} sealed nothing for attempt {attempt}"
        elif sealed and sealed.get("promised") and told - {sealed["promised"]}:
            yield f"{named(record)} was answered with other results than node {record['node']} sealed for attempt {attempt}"
    for record in history.of("sealed"):
        if record.get("promised") and record.get("document") != record["promised"]:
            yield f"{named(record)} changed on node {record['node']} when it was sealed"


def statuses_are_final(history):
    """A terminal status never changes."""
    for call in history.calls:
        if call.get("status") not in TERMINAL or not call.get("job"):
            continue
        for record in history.ended[call["job"]]:
            for fact in ("status", "completed_at", "exit_code"):
                if call.get(fact, record[fact]) != record[fact]:
                    yield f"{named(call)} had ended with {fact} {call[fact]}, now it is {record[fact]}"
    first = {}
    for call in sorted(history.answered("status", "results", "cancel", "submit"), key=lambda call: call["answered"]):
        job = call.get("job")
        if job in first and call["sent"] > first[job]["answered"] and call.get("status") and call["status"] != first[job]["status"]:
            yield f"{job} was {first[job]['status']}, and {call['status']} later"
        elif call.get("status") in TERMINAL:
            first.setdefault(job, call)


def cancelled_is_gone(history):
    """After a confirmed cancel nothing of the job runs, save on a node that was given up."""
    confirmed = {}
    for call in history.answered("cancel", "status", "results", "submit"):
        if call.get("status") != "cancelled":
            continue
        confirmed[call["job"]] = min(call["answered"], confirmed.get(call["job"], call["answered"]))
        for attempt, node in call.get("alive", ()):
            if not history.given_up(node, call["answered"]):
                yield f"{call['job']}.{attempt} ran on when its cancel was confirmed, on node {node}"
    for run in history.runs("begin"):
        if run["at"] > confirmed.get(run["job"], run["at"]) and not history.given_up(run["node"], run["at"]):
            yield f"{named(run)} began on node {run['node']} after its cancel was confirmed"


def silence_is_no_end(history):
    """An attempt is over by its node's word, or when its node was given up by an administrator; what was moved away never ran."""
    begun = {(run["job"], run["attempt"], run["node"]) for run in history.runs("begin")}
    for record in (record for records in history.ended.values() for record in records):
        last = {"attempt": len(record["attempts"]) + 1, "node": record["node"], "reason": record["reason"], "ended_at": record["completed_at"]}
        for over in [*record["attempts"], *([last] if record["status"] == "failed" else [])]:
            at = record["job"], over["attempt"], over["node"]
            where = f"{at[0]}.{at[1]} on node {at[2]}"
            if over["reason"] == "moved":
                if at in begun:
                    yield f"{where} was moved away, and ran"
            elif over["reason"] == "node_lost":
                if not history.given_up(over["node"], over["ended_at"]):
                    yield f"{where} was lost, and nobody gave its node up"
            elif history.sealed.get(at, {}).get("state") != "ended":
                yield f"{where} ended by {over['reason']}, and its node does not say so"


def drained_means_drained(history):
    """Between a confirmed drain and the next resume no slot is given away; what an overtaken server still says is not obeyed."""
    drains = [call for call in history.answered("drain") if call.get("code") == 200]
    resumes = [call for call in history.calls if call["op"] == "resume" and may_be_done(call)]
    wrong = {deed["to"] for deed in history.of("deed") if deed["deed"] == "jump"}  # when it gave slots, nobody knows by that clock
    for drain in drains:
        def may_still_count(resume):
            if resume["node"] != drain["node"]:
                return False
            if resume["sent"] >= drain["sent"] or resume.get("code") == 200:
                return resume.get("answered", drain["sent"]) >= drain["sent"]
            return resume["server"] == drain["server"]  # it may be late; from an overtaken server it comes too late
        until = min((max(resume["sent"], drain["sent"]) for resume in resumes if may_still_count(resume)), default=float("inf"))
        for sealed in history.of("sealed"):
            for claim in sealed["claims"] if sealed["node"] == drain["node"] and drain["node"] not in wrong else ():
                if drain["answered"] < claim < until:
                    yield f"{named(sealed)} was given a slot of node {drain['node']} while it was drained"


def nobody_waits_for_ever(history):
    """When all is mended everything comes to its end."""
    for late in history.of("late"):
        yield f"{late['what']} has come to no end"


RULES = (acknowledged_is_one_job, token_is_one_job, runs_once, completed_has_run, nothing_overlaps, slots_suffice, results_are_the_sealed_ones,
         statuses_are_final, cancelled_is_gone, silence_is_no_end, drained_means_drained, nobody_waits_for_ever)


def broken(records):
    history = History(records)
    return [f"{rule.__name__}: {sentence}" for rule in RULES for sentence in rule(history)]


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def evidence(records, found):
    """What is known of the jobs that are named."""
    jobs = sorted({word[:36] for sentence in found for word in sentence.split() if word.count("-") == 4 and len(word) >= 36})
    return [line for job in jobs for line in (f"--- {job}", *(json.dumps(record) for record in records if job in json.dumps(record)))]


def main():
    records = read(sys.argv[1])
    found = broken(records)
    print(*found, *evidence(records, found), sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
