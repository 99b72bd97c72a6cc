"""What a job costs on a node, beside task-spooler in the same run. Standard library only; called by ./bench node.

Usage: node.py GPUQ FOLDER     GPUQ is the command to measure, FOLDER an empty one for spools and scripts

Every job is a script that writes one byte into a FIFO and ends, so both queues do the same, and we see it done. The jobs'
processes and those that start them become children of this one when their parents end (it is a subreaper), so the processor
time is that of everything that ran, not only of the commands we called.
"""

import collections
import ctypes
import os
import re
import resource
import select
import statistics
import subprocess
import sys
import time
import uuid

TURNS = 60  # single submits of each queue
JOBS = 200  # of a run for the rate
COUNTED = 10  # jobs of which every process is counted
PATIENCE = 120  # seconds until a run counts as stuck
PR_SET_CHILD_SUBREAPER = 36


def say(what, text):
    print(f"node       {what:<21} {text}", flush=True)


def milliseconds(began):
    return 1000 * (time.perf_counter() - began)


def cpu():
    """Processor seconds of all that we have waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reap():
    """Wait for everything that has ended; True when nothing is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def reap_all():
    while not reap():
        time.sleep(0.002)


class Bell:
    """The FIFO that every job writes into."""

    def __init__(self, folder):
        self.path = f"{folder}/bell"
        os.mkfifo(self.path)
        self.end = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.script = f"{folder}/job.sh"
        with open(self.script, "w", encoding="ascii") as script:
            script.write(f"printf . >{self.path}\n")

    def await_rings(self, number):
        until = time.monotonic() + PATIENCE
        while number > 0:
            if not select.select([self.end], [], [], max(0, until - time.monotonic()))[0]:
                raise SystemExit(f"node: {number} jobs did not run within {PATIENCE} s")
            number -= len(os.read(self.end, number))


class Gpuq:
    """The node scripts by hand, on a spool of their own."""

    name = "gpuq"

    def __init__(self, gpuq, folder, slots):
        self.gpuq = gpuq
        self.spool = f"{folder}/spool{slots}"
        self.environment = os.environ | {"GPUQ_SPOOL": self.spool, "GPUQ_SLOTS": str(slots), "GPUQ_CONF": "/dev/null"}
        self.run("info")

    def run(self, *words):
        # Not the default of subprocess, which closes each of 2^20 descriptors where it cannot ask for a range.
        command = [self.gpuq, *words]
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True, close_fds=False).stdout.strip()

    def submit(self, script):
        return self.run("submit", "--script", script)

    def wait(self, job):
        self.run("wait", job)

    def drained(self):
        """Nothing runs or waits any more, and whoever ran it is gone."""
        while os.listdir(f"{self.spool}/queue") or os.listdir(f"{self.spool}/slots"):
            time.sleep(0.002)
        reap()

    def close(self):
        self.drained()
        reap_all()


class TaskSpooler:
    """Its peer: a queue in the memory of a daemon."""

    name = "tsp"

    def __init__(self, folder, slots):
        os.environ["TS_SOCKET"] = f"{folder}/tsp{slots}"
        self.run("-S", str(slots))

    def run(self, *words):
        return subprocess.run(["tsp", *words], check=True, stdout=subprocess.PIPE, text=True, close_fds=False).stdout.strip()

    def submit(self, script):
        return self.run("bash", script)

    def wait(self, job):
        self.run("-w", job)

    def drained(self):
        reap()

    def close(self):
        self.run("-K")
        reap_all()


def single(queues, bell):
    """One job at a time, in turns: until its id is there, until somebody who waits knows its end."""
    took = collections.defaultdict(list)
    for _ in range(TURNS):
        for queue in queues:
            began = time.perf_counter()
            job = queue.submit(bell.script)
            took[queue.name, "ack"].append(milliseconds(began))
            queue.wait(job)
            took[queue.name, "done"].append(milliseconds(began))
            queue.drained()
    bell.await_rings(TURNS * len(queues))
    for what in ("ack", "done"):
        ours, peer = (statistics.median(took[name, what][5:]) for name in ("gpuq", "tsp"))
        say(f"submit to {what}", f"{ours:.1f} ms, {ours / peer:.1f} x task-spooler ({peer:.1f} ms)")


def rate(queue, bell, submit_all):
    """JOBS jobs as fast as they can be submitted: jobs per second, and processor milliseconds of each."""
    reap()
    used, began = cpu(), time.perf_counter()
    submit_all()
    bell.await_rings(JOBS)
    took = time.perf_counter() - began
    queue.close()
    return JOBS / took, 1000 * (cpu() - used) / JOBS


def by_hand(queue, bell):
    def submit_all():
        for _ in range(JOBS):
            queue.submit(bell.script)

    return rate(queue, bell, submit_all)


def through_serve(queue, bell, body):
    """The same as a server does it: submits into one conversation, without waiting for the answers."""

    def submit_all():
        with subprocess.Popen(
            [queue.gpuq, "serve"], env=queue.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        ) as serve:
            serve.stdout.readline()
            for tag in range(1, JOBS + 1):
                serve.stdin.write(submit_command(tag, bell, body))
            serve.stdin.close()
            answers = re.findall(rb"(?m)^\d+ (\d+) \d+$", serve.stdout.read())
            if answers != [b"0"] * JOBS:
                raise SystemExit(f"node: serve answered {collections.Counter(answers)}")

    return rate(queue, bell, submit_all)


def submit_command(tag, bell, body):
    job = str(uuid.uuid4())
    facts = (
        f"job {job}\nattempt 1\norigin server\nuser bench\ntemplate script\ngpus 1\npriority 0\nexpected_time 1\n"
        f"time_limit 60\nsubmitted_at {time.time_ns() // 1000}\n"
    )
    with open(bell.script, encoding="ascii") as script:
        files = {"job": facts, "launch.sh": body, "job.sh": script.read()}
    manifest = "".join(f"file {name} {len(text)}\n" for name, text in files.items())
    payload = f"{manifest}\n{''.join(files.values())}".encode()
    return f"{tag} 0 submit {job} 1 {len(payload)}\n".encode() + payload


def conversation(queue, bell, body):
    """One job at a time through `serve`, its end heard from `watch`."""
    acks, dones = [], []
    talk = {"env": queue.environment, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "close_fds": False}
    with subprocess.Popen([queue.gpuq, "serve"], **talk) as serve, subprocess.Popen([queue.gpuq, "watch"], **talk) as watch:
        serve.stdout.readline()
        watch.stdout.readline()
        for tag in range(1, TURNS + 1):
            began = time.perf_counter()
            serve.stdin.write(submit_command(tag, bell, body))
            serve.stdin.flush()
            serve.stdout.read(int(serve.stdout.readline().split()[2]))
            acks.append(milliseconds(began))
            while not watch.stdout.readline().endswith(b" ended\n"):
                pass
            dones.append(milliseconds(began))
        serve.stdin.close()
        watch.stdin.close()
    bell.await_rings(TURNS)
    queue.close()
    say("serve to ack, to done", f"{statistics.median(acks[5:]):.1f} ms, {statistics.median(dones[5:]):.1f} ms")


def processes(queue, bell, folder):
    """Of each job, everything that is started, its own script among it. Counted by the kernel's word, in a run of its own."""
    trace = f"{folder}/trace"
    calls = "trace=clone,clone3,fork,vfork,execve"
    for _ in range(COUNTED):
        command = ["strace", "-f", "-qq", "-A", "-o", trace, "-e", calls, queue.gpuq, "submit", "--script", bell.script]
        subprocess.run(command, env=queue.environment, check=True, stdout=subprocess.DEVNULL, close_fds=False)
        queue.drained()
    bell.await_rings(COUNTED)
    with open(trace, encoding="utf-8", errors="replace") as lines:
        text = lines.read()
    started = len(re.findall(r"(?:clone3?|v?fork)(?:\(| resumed).* = \d+$", text, re.M)) / COUNTED + 1
    programs = len(re.findall(r"execve(?:\(| resumed).* = 0$", text, re.M)) / COUNTED
    say("processes a job", f"{started:.1f}, and {programs:.1f} programs in them, the submit and the job's own script among them")


def main():
    gpuq, templates, folder = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    bell = Bell(folder)
    with open(f"{templates}/script.sh", encoding="utf-8") as script:
        body = "#!/usr/bin/env bash\nGPUQ_JOB='' GPUQ_ATTEMPT='' GPUQ_NAME='' GPUQ_TIME_LIMIT=''\n" + script.read()

    queues = Gpuq(gpuq, folder, 1), TaskSpooler(folder, 1)
    single(queues, bell)
    processes(queues[0], bell, folder)
    queues[1].close()
    conversation(queues[0], bell, body)
    for slots in (1, 8):
        results = {}
        results["gpuq"] = by_hand(Gpuq(gpuq, folder, slots), bell)
        results["tsp"] = by_hand(TaskSpooler(folder, slots), bell)
        results["serve"] = through_serve(Gpuq(gpuq, folder, slots), bell, body)
        peer, peer_cpu = results["tsp"]
        for name, word in (("gpuq", "by hand"), ("serve", "through serve")):
            ours, ours_cpu = results[name]
            say(
                f"{slots} slot{'s' * (slots > 1)}, {word}",
                f"{ours:.0f} jobs/s, {ours_cpu:.0f} ms of processor a job (task-spooler: {peer:.0f}, {peer_cpu:.1f})",
            )


main()
