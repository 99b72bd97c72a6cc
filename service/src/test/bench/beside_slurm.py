"""Submit to done over SSH beside Slurm in the same run, with the same script. Called by ./bench cluster. Standard library only.

Usage: beside_slurm.py PORT SERVER_PID GROUP SCRIPT ENDED FOLDER

GROUP is the control group of our host. SCRIPT is what Slurm runs in FOLDER; in ENDED it says what has ended.

Slurm is asked in each of its ways: `sbatch`, which queues a job as a submit does, until the controller has written down its end;
`sbatch --wait`, which asks for the end now and then; and `srun`, which queues nothing and holds the job's terminal. Its scheduler
has a beat, so single jobs come at random moments.
"""

import asyncio
import collections
import random
import re
import sys
import time

from measure import Connection, Server, median_of, read, say, submit_request

TURNS = 30  # single jobs of each kind
WAITS = 5  # of those that take two seconds
WARM_UP = 10
BURST = 200
AT_ONCE = 8  # commands of Slurm's: as many as there are slots
PATIENCE = 120  # seconds
TIMES = 20  # our aim


class Gpuq:
    def __init__(self, port, server, group):
        self.port, self.server, self.group = port, server, group

    def cpu(self):
        """Milliseconds of processor time that the server and the host have used."""
        return 1000 * self.server.cpu(), int(re.search(r"usage_usec (\d+)", read(f"{self.group}/cpu.stat"))[1]) / 1000

    async def one(self):
        connection = await Connection.open(self.port)
        job = await connection.ask(submit_request("true"))
        connection.writer.close()
        if job["status"] != "completed":
            raise SystemExit(f"beside_slurm: {job}")

    async def burst(self, number):
        await asyncio.gather(*(self.one() for _ in range(number)))


class Slurm:
    def __init__(self, script, ended, folder):
        self.script = script
        self.ended = open(ended, "rb")
        self.rest = b""
        self.states = {}
        self.quiet = ["-D", folder, "-o", "/dev/null", "-e", "/dev/null"]

    async def run(self, *words):
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        if process.returncode:
            raise SystemExit(f"beside_slurm: {words[0]} ended with {process.returncode}")
        return said.decode().strip()

    async def until_ended(self, jobs):
        """As soon as the controller's record of ended jobs has them all."""
        until = time.perf_counter() + PATIENCE
        while not jobs <= self.states.keys():
            if time.perf_counter() > until:
                raise SystemExit(f"beside_slurm: Slurm has not ended {len(jobs - self.states.keys())} jobs within {PATIENCE} s")
            *lines, self.rest = (self.rest + self.ended.read()).decode().split("\n")
            self.rest = self.rest.encode()
            for line in lines:
                words = dict(word.split("=", 1) for word in line.split() if "=" in word)
                self.states[words["JobId"]] = words["JobState"]
            await asyncio.sleep(0.001)
        if bad := [job for job in jobs if self.states[job] != "COMPLETED"]:
            raise SystemExit(f"beside_slurm: job {bad[0]} is {self.states[bad[0]]}")

    async def submit(self):
        return await self.run("sbatch", "--parsable", *self.quiet, self.script)

    async def one(self):
        await self.until_ended({await self.submit()})

    async def wait(self):
        await self.run("sbatch", "--wait", *self.quiet, self.script)

    async def srun(self):
        await self.run("srun", "-Q", *self.quiet, self.script)

    async def burst(self, number):
        await self.until_ended(set(await self.many(number, self.submit)))

    async def srun_burst(self, number):
        await self.many(number, self.srun)

    async def many(self, number, command):
        places = asyncio.Semaphore(AT_ONCE)

        async def one():
            async with places:
                return await command()

        return await asyncio.gather(*(one() for _ in range(number)))


async def milliseconds(work):
    began = time.perf_counter()
    await work
    return 1000 * (time.perf_counter() - began)


def verdict(times):
    return f"aim {TIMES}: {'met' if times >= TIMES else 'missed'}"


async def single(gpuq, slurm):
    kinds = {"gpuq": gpuq.one, "sbatch": slurm.one, "srun": slurm.srun, "sbatch --wait": slurm.wait}
    took = collections.defaultdict(list)
    for _ in range(WARM_UP):
        await gpuq.one()
        await slurm.srun()
    for turn in range(TURNS):
        for kind, one in kinds.items():
            if turn < WAITS or one != slurm.wait:
                await asyncio.sleep(random.random())
                took[kind].append(await milliseconds(one()))
    ours, ours95 = median_of(took.pop("gpuq"))
    say("cluster", "submit to done, SSH", f"{ours:.1f} ms (95 %: {ours95:.1f})")
    for kind, samples in took.items():
        peer, peer95 = median_of(samples)
        say("cluster", f"Slurm, {kind}", f"{peer:.1f} ms (95 %: {peer95:.1f}), {peer / ours:.1f} x ours ({verdict(peer / ours)})")


async def bursts(gpuq, slurm):
    before = gpuq.cpu()
    ours = 1000 * BURST / await milliseconds(gpuq.burst(BURST))
    server, host = ((now - then) / BURST for now, then in zip(gpuq.cpu(), before))
    say("cluster", f"{BURST} jobs, 8 slots", f"{ours:.1f} jobs/s; {server:.0f} ms of the server's processor a job, {host:.0f} ms of its host's")
    for kind, burst in (("sbatch", slurm.burst), ("srun, 8 at once", slurm.srun_burst)):
        peer = 1000 * BURST / await milliseconds(burst(BURST))
        say("cluster", f"Slurm, {kind}", f"{peer:.1f} jobs/s; ours are {ours / peer:.1f} x that ({verdict(ours / peer)})")


async def main():
    port, pid, group, script, ended, folder = sys.argv[1:]
    gpuq, slurm = Gpuq(int(port), Server(int(pid)), group), Slurm(script, ended, folder)
    await single(gpuq, slurm)
    await bursts(gpuq, slurm)


asyncio.run(main())
