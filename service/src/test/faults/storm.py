"""A storm over servers and nodes, and what is left when it is over, held against the rules of history.py.

  python3 storm.py [--seed N] [--seconds N] [--servers 1|2] [--database embedded|mysql] [--hosts] [--at FOLDER]

Needs JDK (a home) and, for MySQL, MYSQL_HOME in the environment; `./test faults` sets both. What is done is drawn from the seed; how it
interleaves is the machine's affair. When a rule is broken the folder stays, with the history, the logs and the spools.
"""

import argparse
import http.client
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError, wait
from pathlib import Path

import history
import hosts
import trouble
from book import Book, now
from clients import Clients
from ends import ended, listed, sealed
from witness import Witness
from world import Node, World, until

HANDS = 6
SHORT = (0, 0.2, 0.5, 1, 5)  # seconds: what lies longer meets nobody who wants something
PATIENCE = 150  # seconds until everything has come to its end once all is mended: lists of a node are a minute apart


class Scene:
    """A world, those who use it, and the history of all that. What a scenario of a guard and a storm have in common."""

    def __init__(self, folder, seed=0, hosts=False, **world):
        self.folder = Path(folder)
        self.book = Book(self.folder / "history")
        self.witness = Witness(self.folder / "witness")
        self.world = World(self.folder, witness=self.witness.folder if hosts else None, **world)
        self.clients = Clients(self.world, self.witness, self.book, seed)
        self.book.write("storm", seed=seed, slots={node.number: node.slots for node in self.world.nodes})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.world.close()
        self.book.file.close()

    def settle(self, patience=PATIENCE):
        """Waits until everything has its end, and writes down how it ended."""
        over = time.monotonic() + patience
        while (late := self.late()) and time.monotonic() < over:
            time.sleep(0.2)
        for what in late:
            self.book.write("late", what=what)
        self.book.keep(self.witness.runs())
        self.book.keep(record for node in self.world.nodes for record in sealed(node.spool, node.number))
        self.book.keep(ended(self.asks()))
        return history.read(self.book.path)

    def late(self):
        """What has not come to its end. A node's own jobs may not have been heard of yet."""
        try:
            jobs = {job["job_id"]: job["status"] for job in listed(self.asks()[0])}
        except (OSError, http.client.HTTPException, ValueError) as away:
            return [f"the list of jobs ({away!r})"]
        known = {record["job"] for node in self.world.nodes for record in sealed(node.spool, node.number)}
        nodes = self.world.views(self.world.servers[0])
        return [*(f"job {job} ({status})" for job, status in jobs.items() if status not in history.TERMINAL),
                *(f"job {job} (a node has it, no server knows it)" for job in sorted(known - jobs.keys())),
                *(f"node {node} ({view['status']}: {view['reason']})" for node, view in nodes.items() if view["status"] != "active")]

    def asks(self):
        return [lambda path, server=server: server.ask("GET", path) for server in self.world.servers]


def rage(scene, seconds):
    """Everybody at once, for so long; then all is mended."""
    world, clients = scene.world, scene.clients
    near, far = [node for node in world.nodes if isinstance(node, Node)], [node for node in world.nodes if isinstance(node, hosts.Host)]
    sorts = [(trouble.OF_NODES, near, "nodes", 3), (trouble.OF_NODES, near, "more nodes", 8),
             (hosts.OF_HOSTS, far[:1], "a host", 4), (hosts.OF_HOSTS, far[1:], "hosts", 3), (hosts.OF_PROCESSES, far, "processes", 3),
             (trouble.OF_SERVERS, world.servers, "servers", 8, SHORT), (trouble.OF_DATABASES, world.servers if world.mysql else [], "databases", 14, SHORT)]
    evils = [trouble.Trouble(world, clients, scene.book, *sort) for sort in sorts if sort[1]]
    threads = ThreadPoolExecutor(HANDS + len(evils))
    hands = [threads.submit(clients.hand, number) for number in range(HANDS)]
    ends = [threads.submit(evil.run) for evil in evils]
    threads.shutdown(wait=False)
    time.sleep(seconds)
    for evil in evils:
        evil.over.set()
    wait(ends)
    clients.over.set()
    for end in ends:
        end.result()
    for server in world.servers:
        until("the servers are back", server.ready)
    for node in world.nodes:
        sent = now()
        until(f"node {node.number} goes on", lambda: node.gpuq("resume")[0] == 0)
        scene.book.write("call", op="resume", server=None, node=node.number, sent=sent, answered=now(), code=200)
    return hands


def storm(folder, seed, seconds, servers, database, far=False):
    """What was broken, and the history."""
    with Scene(folder, seed, far, servers=servers, mysql=database == "mysql") as scene:
        hands = rage(scene, seconds)
        scene.settle()
        for hand in hands:
            try:
                hand.result(timeout=30)
            except TimeoutError:
                scene.book.write("late", what="a call")
    records = history.read(scene.book.path)
    found = history.broken(records)
    if not any(record["kind"] == "ended" and record["status"] == "completed" for record in records):
        found.append("no job was completed, so nothing was shown")
    return found, records


def summary(records):
    deeds = " ".join(f"{record['deed']}:{record['to']}" for record in records if record["kind"] == "deed")
    ends = [record["status"] for record in records if record["kind"] == "ended"]
    counts = ", ".join(f"{ends.count(status)} {status}" for status in sorted({*ends}))
    return f"{len(ends)} jobs ({counts}), {sum(record['kind'] == 'call' for record in records)} calls\n  {deeds}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--servers", type=int, choices=(1, 2), default=1)
    parser.add_argument("--database", choices=("embedded", "mysql"), default="embedded")
    parser.add_argument("--hosts", action="store_true", help="hosts of a bed are the nodes: .ci/host bed python3 storm.py --hosts")
    parser.add_argument("--at", help="a folder that there is not yet")
    options = parser.parse_args()
    folder = Path(options.at or tempfile.mkdtemp(prefix="gpuq-storm-", dir="/var/tmp" if options.hosts else None))
    folder.mkdir(exist_ok=True)
    print(f"storm of seed {options.seed}, {options.servers} server(s), {options.database}, {options.seconds} s, in {folder}", flush=True)
    began = time.monotonic()
    found, records = storm(folder, options.seed, options.seconds, options.servers, options.database, options.hosts)
    print(f"{summary(records)}\n  {time.monotonic() - began:.0f} s, {len(found)} rules broken", flush=True)
    if found:
        print(*found, *history.evidence(records, found), sep="\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
