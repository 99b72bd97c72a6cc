"""Cuts the power of a disk on which a spool is under load, at random moments; then boots, and asks what was promised.

  unshare --mount /usr/bin/python3 power.py --gpuq PROGRAM --at FOLDER --slots N --submits N --cuts N --seed N

The load is that of races/storm.py, kills among it. All cuts are of one load: the disk remembers every write (disk.py). An answer
that was given before the cut is a promise; the moments of answers and writes are of one clock.
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import time
import uuid
from bisect import bisect
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "races"))

from disk import Cuts  # noqa: E402
from spool import Spool, facts  # noqa: E402

SIZE = 512 << 20  # bytes, most of them never written
PATIENCE = 120  # seconds
BOOT = "/proc/sys/kernel/random/boot_id"


def run(*words, codes=(0,), **more):
    done = subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=PATIENCE, check=False, **more)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("in vain")
        time.sleep(0.02)


class Machine:
    """What boots: a boot id, a disk in its place."""

    def __init__(self, options):
        self.options = options
        self.folder = Path(options.at)
        self.mount = self.folder / "mount"
        self.says = self.folder / "says"  # what jobs say of themselves; not on the disk
        self.spool = Spool(self.mount / "spool", self.says)
        for folder in (self.mount, self.says):
            folder.mkdir(parents=True)
        (self.folder / "boot").write_text(f"{uuid.uuid4()}\n")
        run("mount", "--make-rprivate", "/")
        run("mount", "--bind", self.folder / "boot", BOOT)
        if os.path.isdir("/run/systemd"):  # its units would not be in our mount namespace
            run("mount", "-t", "tmpfs", "none", "/run/systemd")
        os.environ["GPUQ_SPOOL"] = str(self.spool.path)

    def boot(self, image):
        (self.folder / "boot").write_text(f"{uuid.uuid4()}\n")
        run("mount", "-o", "loop", image, self.mount)
        (self.says / "runs").write_text("")

    def halt(self):  # a supervisor may still be on its way out
        wait_for(lambda: subprocess.run(["umount", str(self.mount)], stderr=subprocess.DEVNULL, check=False).returncode == 0)

    def gpuq(self, *words):
        return run(self.options.gpuq, *words)

    def load(self):
        """From the first use of the spool until everything has come to its end."""
        options, image = self.options, self.folder / "disk/image"
        server = subprocess.Popen(["/usr/bin/python3", str(Path(__file__).with_name("disk.py")), str(self.folder), str(SIZE)])
        wait_for(image.exists)
        run("mkfs.ext4", "-q", "-F", "-N", 100000, "-E", "nodiscard,lazy_itable_init=1", image)
        self.boot(image)
        run(options.gpuq, "info")
        storm = Path(__file__).parent.parent / "races/storm.py"
        subprocess.run([sys.executable, str(storm), "--gpuq", options.gpuq, "--at", str(self.says), "--slots", str(options.slots),
                        "--submits", str(options.submits), "--seed", str(options.seed)], check=True)
        self.halt()
        run("umount", self.folder / "disk")
        server.wait(PATIENCE)
        return [json.loads(line) for line in (self.says / "history").read_text().splitlines()]


class Promises:
    """What was said before a moment, in microseconds."""

    def __init__(self, records, moment):
        calls = [record for record in records if record["kind"] == "call"]
        self.answers = [call for call in calls if call.get("answered", moment) < moment]
        self.taken = {pair(call) for call in self.answers if call["op"] == "submit" and call["code"] == 0}
        self.released = {pair(call) for call in self.answers if call["op"] == "release" and call["code"] == 0}
        self.ends = {pair(call): call["outcome"] for call in self.answers if call.get("outcome")}
        for call in self.answers:
            self.ends |= {(job, attempt): outcome for job, attempt, outcome in call.get("told", ())}
        self.epoch = max((call["epoch"] for call in self.answers if "epoch" in call and call["code"] != 75), default=0)
        self.began = {pair(record) for record in records
                      if record["kind"] == "run" and record["what"] == "begin" and record["at"] < moment}
        doors = [call for call in calls if call["op"] in ("drain", "resume") and call["sent"] < moment]
        last = doors[-1] if doors else {}
        self.drained = last["op"] == "drain" if last.get("answered", moment) < moment and last["code"] == 0 else None


def pair(record):
    return record["job"], record["attempt"]


def homes(spool):
    for folder in ("jobs", "released", "purged"):
        for name in spool.entries(folder):
            home = spool.path / folder / name
            if folder == "jobs" and (spool.path / "released" / name).exists():
                continue  # a copy of its submit, about to be dropped
            yield (name.partition(".")[0], int(name.partition(".")[2])), home


def broken(spool, promises):
    """What is not as it was said, when all was healed and nothing was started yet."""
    there = {}
    for key, home in homes(spool):
        if key in there:
            yield f"{key} is there twice: {there[key]}, {home}"
        there[key] = home
    status = {key: facts(home, (home if home.is_file() else home / "status").read_text()) for key, home in there.items()}
    for key in promises.taken - set(there):
        yield f"{key} was acknowledged and is gone"
    for key in promises.released:
        if key not in there or there[key].parent.name == "jobs":
            yield f"{key} was released and is {'not' if key in there else 'gone'}"
    for key, outcome in promises.ends.items():
        if status.get(key, {}).get("outcome") != outcome:
            yield f"{key} was said to have ended {outcome} and is {status.get(key)}"
    for key in promises.began:
        if status.get(key, {}).get("state") != "ended":
            yield f"{key} ran and is {status.get(key)}"
    for key, home in there.items():
        if status[key].get("state") not in ("waiting", "ended"):
            yield f"{key} pretends: {status[key]}"
        elif home.is_dir():
            yield from torn(key, home, status[key])
    if spool.entries("slots"):
        yield f"slots are taken: {spool.entries('slots')}"
    waiting = sorted(f"{job}.{attempt}" for (job, attempt), said in status.items() if said.get("state") == "waiting")
    tickets = sorted(name.partition(".")[2] for name in spool.entries("queue"))
    if tickets != waiting:
        yield f"these wait: {waiting}; there are tickets of {tickets}"
    for folder in ("incoming", "blank"):
        if spool.entries(folder):
            yield f"{folder} holds {spool.entries(folder)}"
    epoch = int((spool.path / "epoch").read_text()) if (spool.path / "epoch").exists() else 0
    if epoch < promises.epoch:
        yield f"the epoch is {epoch} and was {promises.epoch}"


def torn(key, home, status):
    """Of what it brought and what it left every byte is there."""
    job = facts(home, (home / "job").read_text())
    if (job.get("job"), job.get("attempt"), "submitted_at" in job) != (key[0], str(key[1]), True):
        yield f"{key} has lost its facts: {job}"
    if status["state"] == "waiting" and not (home / "work/launch.sh").read_text().endswith("\nnote end\n") \
            and not (home / "work/job.sh").read_text().endswith("\nnote end\n"):
        yield f"{key} has lost some of its script"
    for name, file in (("stdout", "stdout"), ("stderr", "stderr"), ("results", "work/results.jsonl")):
        size = status.get(f"{name}_size")
        if size and (home / file).stat().st_size != int(size):
            yield f"{key} has {(home / file).stat().st_size} of the {size} bytes of its {name}"
    digest = status.get("results_sha256")
    if digest and hashlib.sha256((home / "work/results.jsonl").read_bytes()).hexdigest() != digest:
        yield f"{key} has other results than it sealed"
    verdict = home / "verdict"
    if status["state"] == "ended" and verdict.exists() and verdict.read_text() == "cancelled\n" and status["outcome"] != "cancelled":
        yield f"{key} was to be cancelled and is {status}"


def rest(machine, promises):
    """What is wrong when all that waits has run."""
    machine.gpuq("resume")
    spool = machine.spool
    wait_for(lambda: machine.gpuq("recover") == "" and not spool.entries("slots") and not spool.entries("queue"))
    for run_ in spool.runs():
        key = pair(run_)
        if run_["what"] == "begin" and key in promises.began:
            yield f"{key} ran once more"
        if run_["what"] == "clash":
            yield f"{key} found {run_['over']} taken"
    for key, home in homes(spool):
        status = facts(home, (home if home.is_file() else home / "status").read_text())
        if status.get("state") != "ended":
            yield f"{key} is {status}"


def boot(machine, cuts, records, number, draw, image):
    """Whether all promises hold behind a cut before the write `number`; what is wrong, and what was lost."""
    moment = cuts.entries[number][0]
    promises = Promises(records, moment)
    share = draw.choice((0, 0.5, 0.9, 1))  # of what was not flushed stays
    lost = cuts.until(number, image, lambda: draw.random() < share)
    found = []
    if "FATAL" in run("e2fsck", "-fy", image, codes=(0, 1)):
        found.append("the file system is broken")
    machine.boot(image)
    if machine.spool.path.joinpath("spool").exists() or promises.answers:
        drained = (machine.spool.path / "drain").exists()
        if promises.drained is not None and drained != promises.drained:
            found.append(f"drained is {drained}, which is not what was answered")
        machine.gpuq("drain")
        machine.gpuq("recover")
        found += broken(machine.spool, promises)
        if not found and draw.random() < 0.3:
            found += rest(machine, promises)
    if found:
        os.system(f"cp -a '{machine.spool.path}' '{machine.folder}/broken'")
    machine.halt()
    return found, lost, promises


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("gpuq", str), ("at", str), ("slots", int), ("submits", int), ("cuts", int), ("seed", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    options = parser.parse_args()
    machine = Machine(options)
    records = machine.load()
    os.rename(machine.says / "runs", machine.says / "runs.before")
    cuts = Cuts(machine.folder)
    draw = random.Random(options.seed)
    first = next(i for i, entry in enumerate(cuts.entries) if entry[0] >= records[0]["at"])
    entries = range(first, len(cuts.entries))
    flushes = [i for i in entries if not cuts.entries[i][2]]  # before one most can be lost
    moments = [entry[0] for entry in cuts.entries]
    answers = [bisect(moments, record["answered"]) for record in records if "answered" in record]
    answers = [i for i in answers if first <= i < len(cuts.entries)]  # the first write behind an answer
    numbers = sorted(draw.choice(choice) for _, choice in zip(range(options.cuts), itertools.cycle((entries, flushes, answers))))
    losses, promised = 0, 0
    for number in numbers:
        found, lost, promises = boot(machine, cuts, records, number, draw, machine.folder / "cut")
        losses += lost > 0
        promised += len(promises.answers)
        if found:
            print(f"a cut before write {number} of {len(cuts.entries)}, {lost} bytes lost, {len(promises.answers)} answers:",
                  *found, sep="\n")
            for job in {word for sentence in found for word in sentence.split("'") if len(word) == 36}:
                print(*(json.dumps(record) for record in records if record.get("job") == job), sep="\n")
            sys.exit(1)
    print(f"# {len(cuts.entries)} writes and flushes, {len(numbers)} cuts, {losses} of them lost something, "
          f"{promised // len(numbers)} answers before each")
    if not losses:
        sys.exit("nothing was ever lost: that proves nothing")


if __name__ == "__main__":
    main()
