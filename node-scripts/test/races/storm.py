"""A storm over one spool: many hands and servers at once, kills among them. It writes a history for history.py to check.

  python3 storm.py --gpuq PROGRAM --at FOLDER --slots N --submits N --seed N

FOLDER gets `history` and what the jobs say of themselves; the spool and its settings are those of the environment. What is done is
drawn from the seed; how it interleaves is the machine's affair.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from spool import JOB, Spool, now

PATIENCE = 120  # seconds until what has begun must have come to its end
BODIES = (  # weight, what a job does, its time limit
    (30, ":", 60),
    (25, "sleep 0.05", 60),
    (10, "echo '{}' >results.jsonl; head -c 50000 /dev/zero", 60),
    (10, "(setsid sleep 30 &); sleep 0.03", 60),
    (5, "trap '' TERM; sleep 0.3", 60),
    (5, "exec 2>&-; note end; exit 3", 60),
    (10, "sleep 0.4", 60),
    (5, "(setsid sleep 30 &); sleep 30", 1),
)


class Book:
    """What is written down, and which jobs there are to meddle with."""

    def __init__(self, folder):
        self.file = open(folder / "history", "w", encoding="utf-8")
        self.lock = threading.Lock()
        self.pairs = []
        self.payloads = {}

    def write(self, kind, **fields):
        self.keep([{"kind": kind, **fields}])

    def keep(self, records):
        with self.lock:
            self.file.writelines(json.dumps(record) + "\n" for record in records)

    def meet(self, job, attempt, payload=None):
        with self.lock:
            self.pairs.append((job, attempt))
            self.payloads[job, attempt] = payload

    def draw(self, rng, newest=False):
        with self.lock:
            pairs = self.pairs[-4:] if newest else self.pairs[-40:]
        return rng.choice(pairs) if pairs else None


class Storm:
    def __init__(self, options):
        self.options = options
        self.folder = Path(options.at)
        self.spool = Spool(Path(os.environ["GPUQ_SPOOL"]), self.folder)
        self.book = Book(self.folder)
        self.left = options.submits
        self.epoch = 0
        self.counter = threading.Lock()
        self.over = threading.Event()
        self.failures = []

    def take(self):  # whether one more submit is to be made; not while many wait, so that all who meddle do so to the end
        while self.left > 0 and len(self.spool.entries("queue")) > 3 * self.options.slots + 5:
            time.sleep(0.02)
        with self.counter:
            self.left -= 1
            return self.left >= 0

    def script(self, rng, job, attempt):
        (_, body, limit), = rng.choices(BODIES, [weight for weight, _, _ in BODIES])
        head = f"DIR='{self.folder}' ID={job} ATTEMPT={attempt}\n"
        return head + JOB + body + "\nnote end\n", limit

    # By hand: a process for each verb, some of them killed.

    def verb(self, rng, *words, mortal=True):
        """What it printed and its code, when it was called and when it had answered; code None: it was killed."""
        sent = now()
        process = subprocess.Popen([self.options.gpuq, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        if mortal and rng.random() < 0.12:
            time.sleep(rng.random() * 0.06)
            process.kill()
        out, words_of_it = process.communicate(timeout=PATIENCE)
        code = process.returncode if process.returncode >= 0 else None
        return out, words_of_it, code, sent, now()

    def call(self, rng, op, job=None, attempt=None, *words, **more):
        name = [f"{job}.{attempt}"] if job else []
        _, says, code, sent, answered = self.verb(rng, op, *words, *name, **more)
        fields = {"op": op, "by": "hand", "job": job, "attempt": attempt, "sent": sent}
        if code is not None:
            fields |= {"answered": answered, "code": code, "says": says.strip()}
            if op == "cancel" and "--no-wait" not in words and code in (0, 1):
                fields["outcome"] = "cancelled" if code == 0 else says.strip().rpartition(" ")[2]
            if op == "withdraw" and code == 0:
                fields["outcome"] = "withdrawn"
            if fields.get("outcome"):
                fields["alive"] = self.spool.alive(job, attempt)
        self.book.write("call", **fields)
        return code

    def submit_by_hand(self, rng):
        while self.take():
            text, limit = self.script(rng, "$GPUQ_JOB", 1)
            file = self.folder / f"script-{rng.getrandbits(60):x}"
            file.write_text(text)
            gpus = rng.choice([1, 1, 1, min(2, self.options.slots), self.options.slots])
            out, says, code, sent, answered = self.verb(
                rng, "submit", "--script", str(file), "--time", str(limit), "--gpus", str(gpus),
                "--priority", str(rng.choice([0, 0, 0, 1, -1, 5])))
            file.unlink()
            fields = {"op": "submit", "by": "hand", "sent": sent, "job": None, "attempt": 1, "says": says}
            if out.endswith("\n"):  # an id that was printed is a promise, also of somebody who was killed right after
                fields |= {"job": out.strip(), "answered": answered, "code": 0}
                self.book.meet(out.strip(), 1)
            elif code is not None:
                fields |= {"answered": answered, "code": code}
            self.book.write("call", **fields)

    def meddle(self, rng):
        while not self.over.is_set():
            pair = self.book.draw(rng)
            if pair:
                op = rng.choice(["cancel", "cancel", "withdraw", "withdraw", "release", "release", "status"])
                words = ["--no-wait"] if op == "cancel" and rng.random() < 0.3 else []
                self.call(rng, op, *pair, *words)
            time.sleep(rng.random() * 0.1)

    def drain(self, rng):
        while not self.over.is_set():
            time.sleep(rng.random())
            self.call(rng, "drain")
            time.sleep(rng.random() * 0.5)
            while self.call(rng, "resume") != 0:
                pass

    def look(self, rng):
        while not self.over.is_set():
            self.call(rng, rng.choice(["recover", "dispatch", "queue", "list", "info"]))
            time.sleep(rng.random() * 0.2)

    def kill(self, rng):
        while not self.over.is_set():
            time.sleep(rng.random() * 0.3)
            supervisors = list(self.supervisors())
            if supervisors:
                with suppress(ProcessLookupError):  # it may have ended meanwhile
                    os.kill(rng.choice(supervisors), signal.SIGKILL)

    def supervisors(self):  # ours alone: they name our jobs; before they hold the life lock they are flock or setsid
        mine = self.options.gpuq
        with self.book.lock:
            known = {job for job, _ in self.book.pairs}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if "supervise" in words and mine in words and words[words.index("supervise") + 1] in known:
                yield int(entry.name)

    # As a server: a conversation that is now and then cut in the middle.

    def serve(self, rng):
        while self.left > 0:
            with Conversation(self.options.gpuq) as conversation:
                for _ in range(rng.randrange(5, 40)):
                    if self.left <= 0 or not self.say(rng, conversation):
                        break

    def say(self, rng, conversation):
        op = rng.choices(["submit", "again", "next", "cancel", "withdraw", "release", "list"], [30, 12, 8, 10, 10, 10, 5])[0]
        pair = self.book.draw(rng, newest=op == "again")
        payload = b""
        if op == "list":
            pair = None
        elif op == "submit" or not pair:
            op, pair = "submit", (str(uuid.UUID(int=rng.getrandbits(128), version=4)), 1)
            payload = self.payload(rng, *pair)
        elif op == "next":
            op, pair = "submit", (pair[0], pair[1] + 1)
            payload = self.book.payloads.get(pair) or self.payload(rng, *pair)
        elif op == "again":
            op, payload = "submit", self.book.payloads.get(pair) or self.payload(rng, *pair)
        if op == "submit":
            if not self.take():
                return False
            self.book.meet(*pair, payload)  # before it is sent: another conversation may send the same
        job, attempt = pair or (None, None)
        sent = now()
        cut = rng.random() < 0.03
        if rng.random() < 0.05:
            self.epoch += 1  # another server took the lease
        epoch = self.epoch
        answer = conversation.ask(op, pair, payload, rng.random() * 0.02 if cut else None, epoch)
        fields = {"op": op, "by": "serve", "job": job, "attempt": attempt, "sent": sent, "epoch": epoch}
        if answer:
            code, body = answer
            fields |= {"answered": now(), "code": code}
            record = dict(line.partition(" ")[::2] for line in body.splitlines()) if pair and code == 0 else {}
            fields |= {key: record[key] for key in ("state", "outcome") if key in record}
            fields |= {"says": body} if code else {}
            if op == "list" and code == 0:
                fields["told"] = list(ends_told(body))
            if fields.get("outcome"):
                fields["alive"] = self.spool.alive(*pair)
        self.book.write("call", **fields)
        return bool(answer)

    def payload(self, rng, job, attempt):
        text, limit = self.script(rng, job, attempt)
        gpus = rng.choice([1, 1, min(2, self.options.slots)])
        facts = {"job": job, "attempt": attempt, "origin": "server", "user": "storm", "template": "script", "gpus": gpus,
                 "priority": rng.choice([0, 0, 2, -3]), "expected_time": 5, "time_limit": limit,
                 "submitted_at": now() - rng.randrange(3_000_000)}
        lines = "".join(f"{key} {value}\n" for key, value in facts.items())
        return f"file job {len(lines)}\nfile launch.sh {len(text)}\n\n{lines}{text}".encode()

    # What is to be seen in the spool.

    def watch(self):
        while True:
            final = self.over.is_set()
            self.book.keep(list(self.spool.changes()))
            if final:
                return
            time.sleep(0.03)

    def settle(self):  # everything comes to its end, or time is up
        rng = random.Random()
        self.call(rng, "resume", mortal=False)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.call(rng, "recover", mortal=False)
            if not any(self.spool.entries("slots")) and not any(self.spool.entries("queue")) and not any(self.supervisors()):
                break
            time.sleep(0.1)

    def conclude(self):
        for tell in (self.spool.ends, self.spool.runs, self.spool.left):
            self.book.keep(list(tell()))
        self.book.write("left", folder="processes", entries=[str(pid) for pid in self.supervisors()])

    def run(self):
        options = self.options
        self.book.write("storm", slots=options.slots, seed=options.seed, at=now())
        watcher = self.start(self.watch)
        submitters = [self.start(self.submit_by_hand, number) for number in range(2)]
        submitters += [self.start(self.serve, number) for number in range(3)]
        others = [self.start(role, 0) for role in (self.meddle, self.drain, self.look, self.kill)]
        for thread in submitters:
            thread.join()
        self.over.set()
        for thread in others:
            thread.join()
        watcher.join()
        self.over.clear()
        watcher = self.start(self.watch)
        self.settle()
        self.over.set()
        watcher.join()
        self.conclude()
        self.book.file.close()
        if self.failures:
            sys.exit("\n".join(self.failures))

    def start(self, role, *numbers):
        arguments = [random.Random(f"{self.options.seed} {role.__name__} {number}") for number in numbers]

        def guarded():
            try:
                role(*arguments)
            except Exception as failure:  # a storm that lost an actor proves nothing
                self.failures.append(f"{role.__name__}: {failure!r}")
                self.over.set()
                self.left = 0

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread


def ends_told(listing):  # its records have an empty line between them
    for text in listing.split("\n\n"):
        record = dict(line.partition(" ")[::2] for line in text.splitlines())
        if record.get("state") == "ended":
            yield record["job"], int(record["attempt"]), record["outcome"]


class Conversation:
    def __init__(self, gpuq):
        self.process = subprocess.Popen([gpuq, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.tag = 0

    def __enter__(self):
        self.greeting = self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def ask(self, op, pair, payload, kill_after=None, epoch=0):
        """The code and the body of the answer, or None when there is none."""
        self.tag += 1
        words = [str(self.tag), str(epoch), op, *map(str, pair or ()), str(len(payload))]
        try:
            self.process.stdin.write(" ".join(words).encode() + b"\n" + payload)
            self.process.stdin.flush()
            if kill_after is not None:
                time.sleep(kill_after)
                self.process.kill()
            head = self.process.stdout.readline().split()
            if len(head) != 3:
                return None
            body = self.process.stdout.read(int(head[2]))
        except OSError:
            return None
        return (int(head[1]), body.decode()) if len(body) == int(head[2]) else None


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("gpuq", str), ("at", str), ("slots", int), ("submits", int), ("seed", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    Storm(parser.parse_args()).run()


if __name__ == "__main__":
    main()
