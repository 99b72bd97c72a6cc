"""Mixed load without a fault, for an hour or so: what must not grow, does not. Called by ./bench soak.

  python3 soak.py [--minutes N] [--database embedded|mysql] [--seed N] [--samples FILE]

People, bad clients, operators, timers and an administrator who reloads the configuration use one server with a database and three local nodes,
in the settings of production; the server's heap is that of service/jvm.args. What a server and its nodes hold on to is sampled every 10 s
(samples.py) and judged by flat.py. Of what grows by nature it is said how much a job takes; how fast everything is, is only said.
Then everything has its end, and the history is held against the rules of history.py. Exits 1 when something is not flat, when a rule is
broken, or when somebody was answered wrongly. Needs JDK (a home) and, for MySQL, MYSQL_HOME in the environment.
"""

import argparse
import math
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import flat
import history
from ends import sealed
from people import Caretaker, Pace, People
from samples import MB, Samples, database_size
from storm import Scene
from world import ROOT, until

HANDS = 12
SLOTS = 4, 2, 2  # of the nodes: more than the processors carry
JUDGED_FROM = 20  # minutes; before, a server is warming up
KEPT_JOBS = 180  # seconds for which nodes keep what has ended; of a short soak an eighth


@dataclass(frozen=True)
class Measure:
    """What must stay flat. @param allowed: what it may rise by in the two thirds that are judged, and as a part of what it is"""

    key: str
    text: str
    unit: float
    allowed: float
    part: float = 0.0

    def bound(self, points):
        return max(self.allowed, self.part * statistics.median(value for _, value in flat.judged(points)))


FLAT = (
    Measure("resident", "resident memory, MB", 1, 8, 0.1),  # a saw, whose teeth are garbage
    Measure("threads", "threads of the server", 1, 2),
    Measure("virtual", "virtual threads", 1, 3),
    Measure("descriptors", "descriptors of the server", 1, 4),
    Measure("children", "children of the server", 1, 2),
    Measure("processes", "processes on the nodes", 1, 4),
    Measure("conversations", "memory of a node's talks, MB", 1024, 1024, 0.05),
    Measure("homes", "jobs in the spools", 1, 4, 0.15),
    Measure("spool_files", "files in the spools", 1, 40, 0.15),
    Measure("spool_bytes", "bytes in the spools, KB", 1024, 64 << 10, 0.15),
)

COLLECTED = (
    Measure("heap", "heap after a collection, MB", MB, 2 * MB),
    Measure("rest", "resident then but heap, code, MB", MB, 4 * MB),  # code grows for as long as something runs often enough for the first time, to 48 MB
    Measure("own", "objects of ours, nodes of maps", 1, 400),
)

GROWS = (
    ("database", "bytes of the database", "of the embedded one no space is used again before a start"),
    ("results", "bytes of results", "they are kept"),
    ("result_files", "files of results", "the same, and standard error"),
    ("log", "bytes of the server's log", "also a reload's and a fault's lines"),
    ("purged", "lines in purged/", "for 90 days"),
    ("tombstones", "tombstones", "for 90 days"),
    ("journal", "bytes of the journals", "each up to 1 MiB, then anew; the one before is kept"),
)


class Soak(Scene):
    """A scene without a storm."""

    def __init__(self, folder, seed, database):
        super().__init__(folder, seed, slots=SLOTS, mysql=database == "mysql", stormy=False)
        self.clients = People(self.world, self.witness, self.book, seed)
        self.seen = {}

    def take_down(self):
        """What the spools say, before a purge takes it away. What goes from here to there meanwhile is told again."""
        for node in self.world.nodes:
            for record in sealed(node.spool, node.number):
                at = record["job"], record["attempt"], node.number
                if record["state"] == "ended" and self.seen.get(at) != record:
                    self.seen[at] = record
                    self.book.keep([record])

    def use(self, minutes, samples):
        caretaker = Caretaker(self, int(min(KEPT_JOBS, minutes * 60 / 8)), self.take_down)
        sampler, pace = Samples(self, 60 * minutes, samples), Pace(self.clients, 60 * minutes / 3)
        with ThreadPoolExecutor(HANDS) as threads:
            hands = [threads.submit(self.clients.hand, number) for number in range(HANDS)]
            caretaker.start()
            sampler.start()
            pace.start()
            over = time.monotonic() + 60 * minutes
            while time.monotonic() < over and not any(hand.done() for hand in hands) and sampler.is_alive() and caretaker.is_alive():
                time.sleep(0.5)
            self.clients.over.set()
            try:
                sampler.stop()
            finally:
                caretaker.stop()
                pace.stop()
        for hand in hands:
            hand.result()
        self.clients.leave()
        for node in self.world.nodes:
            until(f"node {node.number} goes on", lambda: self.clients.tell(self.world.servers[0], node, "resume") == 200)
        return sampler, caretaker, pace

    def restarted(self):
        """The size of the database as it is, and after a start."""
        server = self.world.servers[0]
        server.kill(signal.SIGTERM)
        before = database_size(self.world)
        server.start()
        until("the server is back", server.ready)
        return before, database_size(self.world)


def say(what, text):
    print(f"{'soak':<10} {what:<31} {text}", flush=True)


def row(series, unit):
    return "  ".join(f"{value / unit:8,.1f}" if not math.isnan(value) else " " * 8 for value in flat.quarters(series))


def judge(sampler, minutes):
    """Prints every measure, and gives those that are not flat."""
    risen = []

    def verdict(measure, medians, rise, bound, flat):
        word = "too short to say" if minutes < JUDGED_FROM else "flat" if flat else "NOT FLAT"
        say(measure.text, f"{medians}  {rise / measure.unit:+8.1f} ({bound / measure.unit:,.1f})  {word}")
        if word == "NOT FLAT":
            risen.append(f"{measure.text}: it rises by {rise / measure.unit:.1f}, and {bound / measure.unit:.1f} are allowed")

    say("", "medians of the four quarters              rise in the last two thirds (allowed)")
    for measure in FLAT:
        series = sampler.series(measure.key)
        if series:
            bound = measure.bound(series)
            verdict(measure, row(series, measure.unit), flat.rise(series)[0], bound, flat.flat(series, bound))
    say("", "after the first third, and at the end")
    for measure in COLLECTED:
        before, after = (heap[measure.key] for heap in sampler.heaps)
        medians = f"{before / measure.unit:8,.1f}  {after / measure.unit:8,.1f}{'':20}"
        verdict(measure, medians, after - before, measure.allowed, after - before <= measure.allowed)
    return risen


def describe(sampler, minutes, jobs):
    for key, text, why in GROWS:
        series = sampler.series(key)
        say(text, f"{series[-1][1] - series[0][1]:,} more, {(series[-1][1] - series[0][1]) / jobs:,.1f} a job ({why})")
    accounts = [heap["account"] for heap in sampler.heaps]
    for name in sorted(accounts[1], key=accounts[1].get, reverse=True):
        sizes = [account.get(name, 0) / MB for account in accounts]
        if max(sizes) >= 0.5:
            say("", f"{sizes[0]:8,.1f}  {sizes[1]:8,.1f}  {sizes[1] - sizes[0]:+8.1f} MB  {name}")
    chunks = [heap["chunks"] for heap in sampler.heaps]
    say("its chunks", f"{chunks[1] - chunks[0]:,} more in the last two thirds (in memory, until a start copies what is live; MySQL has none)")
    for key in ("read_50", "read_99"):
        say(f"reads of a status, {key[-2:]} %", row(sampler.series(key), 1) + " ms")
    runs = sampler.series("runs")
    paces = [(at, 60 * (b - a) / (at - earlier)) for (earlier, a), (at, b) in zip(runs, runs[6:])]
    say("jobs that began, a minute", row(paces, 1) if paces else f"{runs[-1][1] / minutes:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--database", choices=("embedded", "mysql"), default="embedded")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--samples", help="the file in which the samples are left, a line for each")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gpuq-soak-", dir="/var/tmp"))
    heap = re.search(r"^-Xmx(\S+)", (ROOT / "service/jvm.args").read_text(), re.MULTILINE)[1]
    say("begins", f"seed {options.seed}, {options.minutes:g} minutes, {options.database}, -Xmx{heap}, in {folder}")
    with Soak(folder, options.seed, options.database) as soak:
        sampler, caretaker, pace = soak.use(options.minutes, options.samples or folder / "samples")
        records = soak.settle()
        sizes = soak.restarted()
    ends = [record["status"] for record in records if record["kind"] == "ended"]
    calls = sum(record["kind"] == "call" for record in records)
    say("done", f"{len(ends):,} jobs ({', '.join(f'{ends.count(status):,} {status}' for status in sorted({*ends}))}), {calls:,} calls, {caretaker.purged:,} purged, {caretaker.reloads} reloads")
    say("processors", f"{100 * statistics.median(pace.busy):.0f} % busy (median)")
    risen = judge(sampler, options.minutes)
    describe(sampler, options.minutes, len(ends))
    say("database, stopped, started", f"{sizes[0] / MB:.1f} MB, {sizes[1] / MB:.1f} MB")
    broken = history.broken(records)
    if risen:
        print("the classes that grew most:", *sampler.grown_classes(), sep="\n")
    for sentence in (*risen, *soak.clients.wrong[:20], *broken):
        print(sentence)
    if risen or soak.clients.wrong or broken:
        print(*history.evidence(records, broken), f"the folder {folder} stays", sep="\n")
        sys.exit(1)
    say("flat", "and all jobs have their one end" if options.minutes >= JUDGED_FROM else "is not judged in so short a time; all jobs have their one end")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
