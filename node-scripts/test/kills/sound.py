"""What must hold of a spool when something was killed, somebody has looked, and everything has come to rest.

The rules of races/history.py hold; those here are about one kill, and about what is to be read in the spool.
"""

import json
import re

import history

LINE = re.compile(r"([0-9a-f-]{36}) ([0-9]+) ([0-9]+) (waiting|running|ended) ([0-9]+)")
# Who of a supervisor's children is on the way to become the launch script: when that one dies, so does the job.
CONTAINED = re.compile(r"(env|setpriv|unshare|bash begin) of gpuq supervise|"
                       r"gpuq supervise \w+: (openat \S+/(stdout|stderr|faults)|execve \S+/env|exit_group)")


class Kill:
    """What was killed, as far as it excuses an end."""

    def __init__(self, tree):
        self.supervisors = {process.role.split()[-1] for process in tree.killed
                            if process.role.startswith("gpuq supervise") and process.boss is process}
        self.job_died = bool(tree.killed) and tree.scope == "one" and bool(CONTAINED.match(tree.at[0]))


def ends_are_true(world, scenario, kill, finals):
    """A job ends as it may, and otherwise only as the kill explains."""
    for final in finals:
        name = world.names.get(final["job"], final["job"])
        text = world.status(world.spool / final["place"] / f"{final['job']}.{final['attempt']}")
        word = " ".join(filter(None, (final["outcome"], text.get("reason"))))
        may = set(scenario.ends.get(name, {"exited"}))
        if final["job"] in kill.supervisors:
            may.add("system supervisor_lost")
        if kill.job_died:
            may |= {"system launch_failed", "exited"}
        if word not in may:
            yield f"{name} ended {word or 'not at all'}, not {' or '.join(sorted(may))}"
        if final["outcome"] == "exited" and text.get("exit_code") != "0" and not kill.job_died:
            yield f"{name} exited {text.get('exit_code')}"


def journal_is_whole(world, finals):
    """Every line can be read and says what was; the generations follow each other."""
    known = {(final["job"], final["attempt"]): final for final in finals}
    generations = sorted((world.spool / "journal").iterdir())
    for place, generation in enumerate(generations):
        text = generation.read_text()
        if text and not text.endswith("\n"):
            yield f"the journal {generation.name} has half a line: {text[-80:]}"
        lines = text.splitlines()
        if lines and lines[-1].startswith("next "):
            if lines.pop() != f"next {generations[-1].name}":
                yield f"the journal {generation.name} does not lead to {generations[-1].name}"
        elif place < len(generations) - 1:
            world.follow(generation.name, len(text), f"journal {generations[-1].name} 0\n")
        for line in lines[-200:]:
            match = LINE.fullmatch(line)
            if not match or int(match[5]) != len(line) - len(match[5]) - 1:
                yield f"the journal {generation.name} has a line that is none: {line}"
            elif (match[1], int(match[2])) not in known and match[1] in world.names:
                yield f"the journal tells of {match[1]}, which is not there"


def list_is_true(world, finals):
    """What the server lists is how everything ended, and the position is one in the journal."""
    text = world.gpuq("list", "--records").out
    head, _, rest = text.partition("\n\n")
    word, generation, offset = head.split()
    file = world.spool / "journal" / generation
    if word != "journal" or not file.exists() or file.stat().st_size != int(offset):
        yield f"the list stands at {head}"
    listed = {}
    for record in rest.split("\n\n"):
        about = dict(line.partition(" ")[::2] for line in record.splitlines())
        if about:
            listed[about["job"]] = (about["state"], about.get("outcome"))
    expected = {final["job"]: ("ended", final["outcome"]) for final in finals if final["place"] == "jobs"}
    if listed != expected:
        yield f"listed are {listed}, there are {expected}"


def wait_agrees(world, finals):
    """Who waits for a job gets the code that its record says."""
    for final in finals:
        status = world.status(world.spool / final["place"] / f"{final['job']}.{final['attempt']}")
        code = {"exited": status.get("exit_code"), "time_limit": 124, "system": 75}.get(final["outcome"], 130)
        answer = world.gpuq("wait", f"{final['job']}.{final['attempt']}")
        if answer.code != int(code):
            yield f"wait says {answer.code} of {final['job']}, which ended {final['outcome']} {status.get('exit_code', '')}"


def next_one_runs(world):
    """Another job is taken, and runs."""
    answer = world.submit("AFTER")
    if answer.code != 0:
        yield f"the next submit ended {answer.code}: {answer.said}"
    world.tree.quiet()
    ends = [final["outcome"] for final in world.eyes.ends() if world.names.get(final["job"]) == "AFTER"]
    if ends != ["exited"]:
        yield f"the next job ended {ends}"


def after_a_look_at_the_queue(world):
    """What ordinary looking must have mended: no slot is lost, and what was acknowledged has come to its end."""
    found = [f"after a look at the queue {slot} is taken" for slot in world.eyes.entries("slots")]
    ends = {final["job"]: final["state"] for final in world.eyes.ends()}
    for call in world.records:
        if call["kind"] == "call" and call["op"] == "submit" and call.get("code") == 0 and ends.get(call["job"]) != "ended":
            found.append(f"after a look at the queue {call['job']} stands at {ends.get(call['job'])}")
    return found


def broken(world, scenario, tree):
    finals, kill = list(world.eyes.ends()), Kill(tree)
    world.records += world.eyes.left()
    found = list(ends_are_true(world, scenario, kill, finals))
    if not found:  # the others need ends
        found += journal_is_whole(world, finals)
        found += list_is_true(world, finals)
        found += wait_agrees(world, finals)
        found += next_one_runs(world)
    world.look()
    world.records += [*world.eyes.ends(), *world.eyes.runs(), *world.eyes.left()]
    found += history.broken([{"kind": "storm", "slots": int(world.settings["slots"] or 1), "seed": 0}, *world.records])
    return found + [json.dumps(record) for record in world.records if found]
