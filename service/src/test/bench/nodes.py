"""What many nodes cost a server. The nodes are simulated (simulated.py), their conversations are real. Called by ./bench cluster.

Usage: nodes.py PORT NUMBER SERVER_PID FOLDER JCMD

FOLDER is the server's: `hub` in it is the FIFO of the simulated nodes. What a server took is left beside FOLDER, for those that
come with more nodes; the first has one. Standard library only.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time

from measure import Connection, Server, read, say, submit_request
from simulated import RUN, SLOTS, Hub

PATIENCE = 240  # seconds
REST = 30  # seconds
JOBS = 3000
WARM_UP = 1000
SUBMITTERS = 64
ROUNDS = 3


class Bench:
    def __init__(self, port, number, server, folder, jcmd):
        self.port, self.number, self.server, self.folder, self.jcmd = port, number, server, folder, jcmd
        self.word = f"{number:,} node{'s' * (number > 1)}"

    def say(self, what, text):
        say("cluster", f"{self.word}, {what}", text)

    async def run(self):
        began = time.perf_counter()
        self.hub = Hub(f"{self.folder}/hub")
        try:
            await self.all_active(began)
            await self.warm_up()
            self.settle()
            self.costs()
            await self.rest()
            if self.number > 1:
                await self.load()
                await self.ends_alone()
                self.say("memory at most", f"{self.server.status('VmHWM') // 1024} MB")
        except (OSError, EOFError, asyncio.TimeoutError, subprocess.CalledProcessError) as error:
            self.broke(error)

    def broke(self, error):
        """Told with numbers, and no failure of the bench."""
        self.say("broke", f"{type(error).__name__} {error}")
        if self.server.lives():
            threads, memory = self.server.status("Threads"), self.server.status("VmRSS") // 1024
            self.say("then it had", f"{threads:,} threads, {self.server.descriptors():,} descriptors, {self.hub.channels:,} children, {memory:,} MB")
        else:
            self.say("the server", "has ended")

    async def nodes(self):
        connection = await Connection.open(self.port)
        try:
            return (await connection.get("/api/nodes"))["nodes"]
        finally:
            connection.writer.close()

    async def all_active(self, began):
        active, reasons = 0, ""
        while time.perf_counter() - began < PATIENCE and self.server.lives():
            spent = self.server.cpu()
            try:
                nodes = await self.nodes()
                active = sum(node["status"] == "active" for node in nodes)
                reasons = "; ".join(sorted({str(node.get("reason")) for node in nodes if node["status"] != "active"})[:3])
                if active == self.number:
                    took = time.perf_counter() - began
                    self.say("all active", f"{took:.1f} s after the start of the server, {spent:.1f} s of its processor")
                    return
            except (OSError, EOFError):
                pass  # it does not listen yet
            await asyncio.sleep(0.2)
        raise asyncio.TimeoutError(f"only {active:,} are active: {reasons}")

    async def warm_up(self):
        """A job for each node, so that all of its conversations are open; then as many for one as for a thousand."""
        self.hub.holds = True
        await self.submit(self.number)
        await self.all_running(self.number)
        self.hub.let_go()
        await self.submit(WARM_UP)
        await self.hub.until_released(self.number + WARM_UP, PATIENCE)

    def tell_jvm(self, command):
        words = [self.jcmd, str(self.server.pid), command]
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, close_fds=False).stdout

    def settle(self):
        for command in (*["GC.run"] * 5, "System.trim_native_heap"):  # this collector gives memory back step by step
            self.tell_jvm(command)
        self.settled = self.server.status("VmRSS")

    def costs(self):
        """What one node more takes, and what it would take all of first. Held against servers with fewer."""
        heap = self.tell_jvm("GC.heap_info")
        most_heap = int(re.search(r"MaxHeapSize=(\d+)", self.tell_jvm("VM.flags"))[1])
        threads = self.server.status("Threads")
        there = {
            "memory": self.settled,
            "threads and children": threads + self.hub.channels,
            "descriptors": self.server.descriptors(),
            "KB of heap": sum(map(int, re.findall(r"(?:DefNew|Tenured) .* used (\d+)K", heap))),
        }
        earlier = json.loads(read(f"{self.folder}/../costs") or "[]")
        with open(f"{self.folder}/../costs", "w", encoding="ascii") as file:
            json.dump([*earlier, (self.number, there)], file)
        if not earlier:
            return
        one = earlier[0][1]
        each = {name: (there[name] - one[name]) / (self.number - 1) for name in there}
        told = [f"{(there['memory'] - less['memory']) / (self.number - n):,.0f} KB more than with {n:,}" for n, less in earlier]
        self.say("memory", f"{there['memory'] // 1024} MB after a collection; each node {', '.join(told)}")
        limits = {
            "threads and children": int(read("/proc/sys/kernel/pid_max")),
            "descriptors": int(re.search(r"Max open files +(\d+)", self.server.read("limits"))[1]),
            "KB of heap": most_heap >> 10,
        }
        bounds = {name: int((limits[name] - one[name]) / each[name]) for name in limits}
        first = min(bounds, key=bounds.get)
        told = ", ".join(f"{there[name]:,} of {limits[name]:,} {name}" for name in limits)
        self.say("limits", f"{threads:,} threads; {told}; {first} would run out first, at about {bounds[first]:,} nodes")

    async def rest(self):
        spent, began = self.server.cpu(), time.perf_counter()
        await asyncio.sleep(REST)  # that is what is measured
        took = time.perf_counter() - began
        self.say("at rest", f"{100 * (self.server.cpu() - spent) / took:.1f} % of a core over {REST} s")

    async def submit(self, jobs):
        left = iter(range(jobs))

        async def some():
            connection = await Connection.open(self.port)
            for _ in left:
                await connection.ask(submit_request("false"))
            connection.writer.close()

        await asyncio.gather(*(some() for _ in range(SUBMITTERS)))

    async def load(self):
        """From the first submit until the server has released the last: it has committed the end and kept the results by then."""
        began, spent, simulated, ends = time.perf_counter(), self.server.cpu(), time.process_time(), self.hub.ends
        await self.submit(JOBS)
        submitted = time.perf_counter() - began
        await self.hub.until_released(ends + JOBS, PATIENCE)
        took = time.perf_counter() - began
        spent, simulated = self.server.cpu() - spent, time.process_time() - simulated
        self.say(
            "jobs carried",
            f"{JOBS / took:.0f} jobs/s from submit to end, so {3 * JOBS / took:.0f} events/s ({JOBS:,} jobs of {RUN} s, all submitted after "
            f"{submitted:.1f} s); {1000 * spent / JOBS:.1f} ms of processor a job, {100 * spent / took:.0f} % of a core, "
            f"the simulation {100 * simulated / took:.0f} %",
        )

    async def ends_alone(self):
        """A job for each slot, up to a bound, runs until all end at once: nothing else is to be done then."""
        jobs = min(800, self.number * SLOTS)
        rates, spent = [], 0
        for _ in range(ROUNDS):
            self.hub.holds = True
            ends = self.hub.ends
            await self.submit(jobs)
            await self.all_running(jobs)
            spent -= self.server.cpu()
            began = time.perf_counter()
            self.hub.let_go()
            await self.hub.until_released(ends + jobs, PATIENCE)
            rates.append(jobs / (time.perf_counter() - began))
            spent += self.server.cpu()
        rate, each = sorted(rates)[ROUNDS // 2], 1000 * spent / ROUNDS / jobs
        self.say("ends alone", f"{rate:.0f} ends/s, {each:.1f} ms of processor an end (median of {ROUNDS} times {jobs} at once)")

    async def all_running(self, jobs):
        until = time.perf_counter() + PATIENCE
        while sum(node["running"] for node in await self.nodes()) < jobs:
            if time.perf_counter() > until:
                raise asyncio.TimeoutError(f"{jobs:,} jobs did not start within {PATIENCE} s")
            await asyncio.sleep(0.05)


def main():
    port, number, pid, folder, jcmd = sys.argv[1:]
    asyncio.run(Bench(int(port), int(number), Server(int(pid)), folder, jcmd).run())


main()
