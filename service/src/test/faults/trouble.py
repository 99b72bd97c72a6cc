"""The faults, a function each: a generator that does it, waits as long as it is given, and mends it."""

import random
import signal
import threading

import processes
from book import now

KILL, STOP, CONT = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT


# Of servers and of their database.

def kill_server(trouble, server):
    server.kill()
    yield
    server.start()


def stop_server(trouble, server):
    """In good order."""
    server.kill(signal.SIGTERM)
    yield
    server.start()


def freeze_server(trouble, server):
    server.process.send_signal(STOP)
    yield
    server.process.send_signal(CONT)


def kill_database(trouble, server):
    trouble.world.mysql.kill()
    yield
    trouble.world.mysql.start()


def freeze_database(trouble, server):
    trouble.world.mysql.process.send_signal(STOP)
    yield
    trouble.world.mysql.process.send_signal(CONT)


# Of nodes.

def cut(trouble, node):
    """Connections die, and nobody gets through."""
    node.link(trouble.rng.choice(("silent", "refusing", "babbling")))
    processes.send(node.called("commands-serve", "commands-watch", "serve", "watch"), KILL)
    yield
    node.link("open")


def drop(trouble, node):
    """Connections die, new ones are possible at once."""
    processes.send(node.called(trouble.rng.choice(("serve", "watch", "commands-serve", "answers-serve"))), KILL)
    yield


def half_open(trouble, node):
    """What one side says does not arrive; later it does, perhaps on a connection that was given up meanwhile."""
    stopped = node.called(*trouble.rng.choice((("commands-serve",), ("answers-serve",), ("answers-watch",), ("answers-serve", "answers-watch"))))
    processes.send(stopped, STOP)
    yield
    processes.send(stopped, CONT)


def freeze_host(trouble, node):
    frozen = node.processes()
    processes.send(frozen, STOP)
    yield
    processes.send(frozen, CONT)


def kill_host(trouble, node):
    """All that runs there, and nobody comes in for a while."""
    node.link("refusing")
    processes.kill(node.processes)
    yield
    node.link("open")


def kill_supervisor(trouble, node):
    processes.send(node.called("supervise")[:1], KILL)
    yield


def kill_job(trouble, node):
    processes.send(node.called("solution.py")[-1:], KILL)
    yield


def late_supervisor(trouble, node):
    (node.folder / "bin/hold").touch()
    yield
    for name in ("hold", "held"):
        (node.folder / "bin" / name).unlink(missing_ok=True)


def full_disk(trouble, node):
    filler = node.disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            pass
    yield
    filler.unlink(missing_ok=True)


def jump(trouble, node):
    """Its clock goes wrong, and right again."""
    node.ahead(trouble.rng.choice((-7200, -30, 30, 7200, 10**6)))
    yield
    node.ahead(0)


def give_up(trouble, node):
    """A node falls silent and is declared lost, while its jobs run on; then it is back."""
    node.link("refusing")
    processes.send(node.called("serve", "watch", "commands-serve", "commands-watch"), KILL)
    yield
    for server in trouble.world.servers:
        trouble.clients.tell(server, node, "lost", patience=8)
    yield
    node.link("open")


OF_SERVERS = (kill_server, kill_server, stop_server, freeze_server)
OF_DATABASES = (kill_database, freeze_database)
OF_NODES = (cut, drop, drop, half_open, half_open, freeze_host, kill_host, kill_supervisor, kill_job, late_supervisor, full_disk, jump, give_up)


class Trouble:
    """One thread that makes trouble of one sort until the storm is over; each deed is mended before the next, and a pause of at most so many seconds."""

    def __init__(self, world, clients, book, deeds, whom, name, pause, waits=(0.1, 0.5, 1, 3, 6)):
        self.world, self.clients, self.book, self.deeds, self.whom, self.pause, self.waits = world, clients, book, deeds, whom, pause, waits
        self.rng = random.Random(f"{clients.seed} {name}")
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            self.over.wait(self.rng.random() * self.pause)
            deed, whom = self.rng.choice(self.deeds), self.rng.choice(self.whom)
            if deed is full_disk and not whom.mounted:
                continue
            self.book.write("deed", deed=deed.__name__, to=whom.number, at=now())
            for _ in deed(self, whom):
                self.over.wait(self.rng.choice(self.waits))
