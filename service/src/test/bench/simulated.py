"""Nodes that only speak: the whole node protocol (docs/node-protocol.md) for any number of them in one process, without a disk.

A channel is a process that the server started (simulated-node); it writes its number, its node and its words into a FIFO, and
the hub speaks on that process's own pipes. A job takes one slot, runs for RUN seconds and leaves the same small document.
"""

import asyncio
import collections
import hashlib
import os
import re
import signal
import time
import uuid

SLOTS = 8
RUN = 0.05  # seconds that a job runs
JOURNAL = 1  # the one generation of a journal that is never full
PAIR = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} [1-9][0-9]{0,8}")
DOCUMENT = (
    b'{"success": true, "exit_code": 0, "timed_out": false, "exec_time": 0.0, "valid_solution": true, '
    b'"test_fitness": 0.5, "grading_report": {"competition_id": "random-acts-of-pizza", "score": 0.5}}\n'
)
SEALED = f"results_size {len(DOCUMENT)}\nresults_sha256 {hashlib.sha256(DOCUMENT).hexdigest()}\nstdout_size 0\nstderr_size 0\n"


def now():
    return time.time_ns() // 1000


class Refusal(Exception):
    def __init__(self, code, sentence):
        super().__init__(sentence)
        self.code = code


class Job:
    def __init__(self, pair, facts):
        self.pair = pair
        self.facts = facts
        self.seq = 1
        self.state = "waiting"
        self.rest = f"queued_at {now()}\n"
        self.released = False

    def record(self):
        return f"{self.facts}seq {self.seq}\nstate {self.state}\n{self.rest}"


class Node:
    def __init__(self, hub):
        self.hub = hub
        self.spool = uuid.uuid4()
        self.jobs = {}
        self.queue = collections.deque()
        self.running = 0
        self.events = []
        self.watches = set()
        self.epoch = 0

    def greeting(self, verb):
        return f"GPUQ 1 {verb} spool={self.spool} boot=simulated version=simulated epoch={self.epoch}\n"

    def move(self, job, state, seq, rest):
        job.state, job.seq, job.rest = state, seq, job.rest + rest
        self.ring(job)

    def ring(self, job):
        self.events.append(f"{job.pair} {job.seq} {job.state}")
        for watch in self.watches:
            watch.ring()

    def look(self):
        """Starts what waits, as far as there are slots."""
        while self.queue and self.running < SLOTS:
            job = self.queue.popleft()
            self.running += 1
            self.move(job, "running", job.seq + 2, f"started_at {now()}\n")  # between them is `starting`, which rings no bell
            self.hub.when_run(self.end, job, f"outcome exited\nexit_code 0\n{SEALED}")

    def end(self, job, how):
        if job.state == "ended":
            return
        if job.state == "running":
            self.running -= 1
        elif job in self.queue:
            self.queue.remove(job)
        self.move(job, "ended", job.seq + 1, f"ended_at {now()}\n{how}")
        self.look()

    def job(self, pair):
        if pair not in self.jobs:
            raise Refusal(66, "there is no such job")
        return self.jobs[pair]

    def info(self):
        return (
            f"protocol 1\nversion simulated\nspool {self.spool}\nboot simulated\nslots {SLOTS}\nrunning {self.running}\n"
            f"waiting {len(self.queue)}\ntemplate process\ntime {now()}\ncompetition random-acts-of-pizza\n"
        )

    def doctor(self):
        return "check simulated\nstate ok\ndetail This node only speaks.\n"

    def list(self):
        records = (job.record() for job in self.jobs.values() if not job.released)
        return "\n".join([f"journal {JOURNAL} {len(self.events)}\n", *records])

    def latest(self, payload=b""):
        known = {}
        for pair in self.jobs:
            job, attempt = pair.split()
            known[job] = max(int(attempt), known.get(job, 0))
        return "".join(f"known {job} {known[job]}\n" for job in payload.decode().split() if job in known)

    def status(self, pair):
        return self.job(pair).record()

    def submit(self, pair, payload):
        if pair not in self.jobs:
            manifest, _, files = payload.partition(b"\n\n")
            name = re.match(rb"file job (\d+)\n", manifest)
            if not name:
                raise Refusal(64, "the payload begins with no job")
            job = self.jobs[pair] = Job(pair, files[: int(name[1])].decode())
            self.queue.append(job)
            self.ring(job)
            self.hub.loop.call_soon(self.look)  # when the answer is out
        return self.jobs[pair].record()

    def tombstone(self, pair, outcome):
        job, attempt = pair.split()
        dead = self.jobs[pair] = Job(pair, f"job {job}\nattempt {attempt}\n")
        dead.state, dead.rest = "ended", f"ended_at {now()}\noutcome {outcome}\n"

    def cancel(self, pair):
        if pair in self.jobs:
            self.end(self.jobs[pair], "outcome cancelled\n")
        else:
            self.tombstone(pair, "cancelled")
        return self.jobs[pair].record()

    def withdraw(self, pair):
        if pair not in self.jobs:
            self.tombstone(pair, "withdrawn")
        elif self.jobs[pair].state == "waiting":
            self.end(self.jobs[pair], "outcome withdrawn\n")
        return self.jobs[pair].record()

    def fetch(self, pair, file, offset, count):
        job = self.job(pair)
        if file not in ("results", "stdout", "stderr") or int(count) > 1 << 20:
            raise Refusal(64, "fetch takes results, stdout or stderr, and at most a MiB")
        if job.state == "waiting" or file == "results" and job.state != "ended":
            raise Refusal(66, "it is not there yet")
        return DOCUMENT[int(offset) :][: int(count)].decode() if file == "results" else ""

    def release(self, pair):
        job = self.job(pair)
        if job.state != "ended":
            raise Refusal(64, "it has not ended")
        if not job.released:
            job.released = True
            self.hub.released()
        return ""


class Channel:
    """One process of the server's, and what is said on its pipes."""

    def __init__(self, hub, process, node):
        self.loop = hub.loop
        self.process = process
        self.node = node
        self.heard = b""
        self.unsaid = b""
        self.input = os.open(f"/proc/{process}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
        self.output = os.open(f"/proc/{process}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
        self.loop.add_reader(self.input, self.hear)

    def hear(self):
        more = os.read(self.input, 1 << 16)
        if more:
            self.heard += more
            self.understand()
        else:
            self.close()

    def say(self, text):
        waits = bool(self.unsaid)
        self.unsaid += text.encode()
        if not waits:
            self.write()

    def write(self):
        try:
            self.unsaid = self.unsaid[os.write(self.output, self.unsaid) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.unsaid = b""  # its input ends as well
        if self.unsaid:
            self.loop.add_writer(self.output, self.write)
        else:
            self.loop.remove_writer(self.output)

    def close(self):
        self.loop.remove_reader(self.input)
        self.loop.remove_writer(self.output)
        os.close(self.input)
        os.close(self.output)
        try:
            os.kill(self.process, signal.SIGTERM)
        except ProcessLookupError:
            pass


class Serve(Channel):
    WORDS = {"info": 0, "list": 0, "latest": 0, "doctor": 0, "status": 2, "submit": 2, "cancel": 2, "withdraw": 2, "fetch": 5, "release": 2}

    def __init__(self, hub, process, node):
        super().__init__(hub, process, node)
        self.say(node.greeting("serve"))

    def understand(self):
        while b"\n" in self.heard:
            line, _, rest = self.heard.partition(b"\n")
            words = line.decode("ascii", "replace").split()
            if len(words) < 4 or not re.fullmatch("[0-9]{1,8}", words[-1]) or not (words[0] + words[1]).isdigit():
                self.answer("0", 64, "a command is TAG EPOCH VERB [WORD ...] LENGTH.\n")
                self.close()
                return
            length = int(words[-1])
            if len(rest) < length:
                return
            self.heard = rest[length:]
            self.command(words[0], int(words[1]), words[2], words[3:-1], rest[:length])

    def command(self, tag, epoch, verb, words, payload):
        try:
            self.answer(tag, 0, self.carry_out(epoch, verb, words, payload))
        except Refusal as refusal:
            self.answer(tag, refusal.code, f"{refusal}.\n")

    def carry_out(self, epoch, verb, words, payload):
        if epoch < self.node.epoch:
            raise Refusal(77, "this lease is over")
        self.node.epoch = epoch
        if verb not in self.WORDS:
            raise Refusal(64, f"there is no command '{verb}'")
        if len(words) != self.WORDS[verb] or verb != "latest" and bool(payload) != (verb == "submit"):
            raise Refusal(64, f"{verb} has other words, or another payload")
        if words:
            words = [" ".join(words[:2]), *words[2:]]
            if not PAIR.fullmatch(words[0]):
                raise Refusal(64, f"{verb} needs a job and an attempt")
        return getattr(self.node, verb)(*words, *[payload] * bool(payload))

    def answer(self, tag, code, body):
        self.say(f"{tag} {code} {len(body)}\n{body}")


class Watch(Channel):
    def __init__(self, hub, process, node, since, beat):
        super().__init__(hub, process, node)
        generation, offset = since.split(":")
        end = len(node.events)
        self.offset = int(offset) if generation == str(JOURNAL) and int(offset) <= end else end
        self.beat = beat
        self.say(f"{node.greeting('watch')}journal {JOURNAL} {self.offset}\n")
        node.watches.add(self)
        self.timer = self.loop.call_later(beat, self.tick)
        self.ring()

    def understand(self):
        self.heard = b""

    def ring(self):
        self.spoke = self.loop.time()
        for event in self.node.events[self.offset :]:
            self.offset += 1
            self.say(f"event {JOURNAL} {self.offset} {event}\n")

    def tick(self):
        due = self.spoke + self.beat
        if self.loop.time() >= due - 0.001:
            self.say(f"beat {now()}\n")
            self.spoke = self.loop.time()
            due = self.spoke + self.beat
        self.timer = self.loop.call_at(due, self.tick)

    def close(self):
        self.timer.cancel()
        self.node.watches.discard(self)
        super().close()


class Hub:
    """Every node there is, by name. While it holds, no job ends."""

    def __init__(self, fifo):
        self.loop = asyncio.get_running_loop()
        self.nodes = collections.defaultdict(lambda: Node(self))
        self.channels = 0
        self.holds = False
        self.held = []
        self.ends = 0
        self.awaited = (0, None)
        self.heard = b""
        self.door = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self.loop.add_reader(self.door, self.hear)

    def hear(self):
        *lines, self.heard = (self.heard + os.read(self.door, 1 << 16)).split(b"\n")
        for line in lines:
            process, name, verb, *words = line.decode().split()
            try:
                self.open(int(process), self.nodes[name], verb, dict(zip(words[::2], words[1::2])))
                self.channels += 1
            except OSError:
                pass  # the server has ended that process meanwhile

    def open(self, process, node, verb, options):
        if verb == "serve":
            Serve(self, process, node)
        else:
            Watch(self, process, node, options.get("--from", "0:0"), int(options.get("--beat", "5")))

    def when_run(self, end, *words):
        if self.holds:
            self.held.append((end, words))
        else:
            self.loop.call_later(RUN, end, *words)

    def let_go(self):
        held, self.held, self.holds = self.held, [], False
        for end, words in held:
            end(*words)

    def released(self):
        self.ends += 1
        number, reached = self.awaited
        if reached and not reached.done() and self.ends >= number:
            reached.set_result(None)

    async def until_released(self, number, patience):
        """Until the server has taken over so many ends, counted from the beginning."""
        if self.ends < number:
            self.awaited = (number, self.loop.create_future())
            await asyncio.wait_for(self.awaited[1], patience)
