"""What a server and its nodes hold on to, as samples: a dictionary each, of numbers, with the seconds since the first."""

import json
import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from processes import read

EVERY = 10  # seconds
COUNT = 6  # samples to each for which virtual threads are counted, too
MB = 1 << 20
OWN_OBJECTS = re.compile(r"gpuq\.[^$]*(\$[A-Z]\w*)?|java\.util\.(UUID|HashMap\$Node|LinkedHashMap\$Entry|TreeMap\$Entry|concurrent\.\w+(\$Node|Future|FutureTask)?)")
OWN = ("purged", "journal")  # what a spool keeps by nature


def database_size(world):
    """Of the embedded one's file, or of all that MySQL has."""
    files = (world.mysql.folder / "data").rglob("*") if world.mysql else world.servers[0].data.rglob("*.mv.db")
    size = 0
    for file in files:
        try:
            size += file.stat().st_size
        except FileNotFoundError:
            continue
    return size


class Samples(threading.Thread):
    def __init__(self, scene, seconds, path):
        super().__init__()
        self.seconds = seconds
        self.world, self.people, self.witness = scene.world, scene.clients, scene.witness
        self.server, self.path, self.over = scene.world.servers[0], Path(path), threading.Event()
        self.path.write_text("")
        self.taken, self.heaps, self.began, self.failure, self.talking = [], [], time.monotonic(), None, set()

    def run(self):
        due = self.began
        try:
            while not self.over.wait(max(0, due - time.monotonic())):
                self.take()
                due += EVERY
        except (OSError, subprocess.CalledProcessError) as failure:
            self.failure = failure

    def stop(self):
        self.over.set()
        self.join()
        if self.failure:
            raise self.failure
        self.heaps.append(self.heap())

    def take(self):
        sample = {"at": time.monotonic() - self.began, **self.process(), **self.conversations(), **self.spools(), **self.kept(), **self.reads()}
        if len(self.taken) % COUNT == COUNT - 1:
            sample["virtual"] = self.virtual_threads()
        if not self.heaps and sample["at"] >= self.seconds / 3:
            self.heaps.append(self.heap())
        self.taken.append(sample)
        with open(self.path, "a", encoding="ascii") as file:
            file.write(json.dumps(sample) + "\n")

    def series(self, key):
        return [(sample["at"], sample[key]) for sample in self.taken if sample.get(key) is not None]

    def process(self):
        pid = self.server.process.pid
        status = dict(re.findall(r"(\w+):\s+(\d+)", read(pid, "status").decode()))
        children = [child for task in os.listdir(f"/proc/{pid}/task") for child in read(pid, f"task/{task}/children").split()]
        return {"resident": int(status["VmRSS"]) / 1024, "threads": int(status["Threads"]), "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
                "children": len(children), "processes": sum(len(node.processes()) for node in self.world.nodes)}

    def conversations(self):
        """The memory of those of the first node, which nobody ends; of processes that are no child of the moment."""
        there = {*self.world.nodes[0].called("serve", "watch")}
        old, self.talking = there & self.talking, there
        sizes = [re.search(rb"VmRSS:\s+(\d+)", read(pid, "status")) for pid in old]
        return {"conversations": sum(int(size[1]) for size in sizes if size)} if old else {}

    def spools(self):
        """Of all nodes together. What lies in a folder that is given its place anew while one looks counts once, or not at all."""
        files, size, homes = Counter(), Counter(), 0
        for node in self.world.nodes:
            for folder, folders, names in os.walk(node.spool):
                at = Path(folder).relative_to(node.spool).parts
                sort = at[0] if at and at[0] in OWN else "work"
                homes += len(folders) if at in (("jobs",), ("released",)) else 0
                if at in (("jobs",), ("released",)):
                    files["tombstones"] += len(names)
                    continue
                for name in names:
                    try:
                        size[sort] += os.stat(os.path.join(folder, name)).st_size
                    except FileNotFoundError:
                        continue
                    files[sort] += 1
        return {"spool_files": files["work"], "spool_bytes": size["work"], "homes": homes, "purged": files["purged"], "tombstones": files["tombstones"],
                "journal": size["journal"]}

    def kept(self):
        data = self.server.data
        results = {facts.st_ino: facts.st_size for facts in (path.stat() for path in (data / "jobs/sealed").glob("[!.]*"))}  # a name more is no file more
        return {"database": database_size(self.world), "log": (data / "log").stat().st_size, "results": sum(results.values()), "result_files": len(results),
                "runs": (self.witness.folder / "runs").read_bytes().count(b"begin ")}

    def reads(self):
        times = sorted(self.people.taken_times())
        return {"read_50": statistics.median(times), "read_99": times[int(len(times) * 0.99)]} if times else {}

    def tell_jvm(self, *words):
        return subprocess.run([Path(os.environ["JDK"]) / "bin/jcmd", str(self.server.process.pid), *words], check=True, stdout=subprocess.PIPE, text=True).stdout

    def virtual_threads(self):
        with tempfile.TemporaryDirectory() as folder:
            dump = Path(folder, "threads")
            self.tell_jvm("Thread.dump_to_file", "-format=json", str(dump))
            return dump.read_text().count('"virtual": true')

    def heap(self):
        """After the collection that a histogram begins with. Done when warm and at the end only: else it would do the work of the server's own."""
        lines = [line for line in re.findall(r"^ *\d+: +(\d+) +(\d+) +(\S+)", self.tell_jvm("GC.class_histogram"), re.MULTILINE) if "Filler" not in line[2]]
        account = self.account()
        chunks = sum(int(count) for count, _, name in lines if name.endswith(".SFChunk"))
        return {"heap": sum(int(size) for _, size, _ in lines), "rest": MB * self.process()["resident"] - account["Java Heap"] - account["Code"], "account": account, "chunks": chunks, "classes": {name: int(size) for _, size, name in lines},
                "own": sum(int(count) for count, _, name in lines if OWN_OBJECTS.fullmatch(name)) - chunks}  # the database has a node for each

    def account(self):
        """The JVM's own account of its memory: the bytes that are committed, by what they are for."""
        said = self.tell_jvm("VM.native_memory", "summary", "scale=B")
        return {name: int(size) for name, size in re.findall(r"^- +([A-Z][\w ]+) \(reserved=\d+, committed=(\d+)", said, re.MULTILINE)}

    def grown_classes(self, most=12):
        """Those that take more than they did when the first third was over."""
        before, after = (heap["classes"] for heap in self.heaps)
        grown = Counter({name: size - before.get(name, 0) for name, size in after.items()})
        return [f"{size / 1024:+9.0f} KB  {name}" for name, size in grown.most_common(most) if size > 0]
