"""Who uses a queue in which nothing is broken, for as long as one wants: clients of every manner, good and bad, and an operator who looks."""

import http.client
import re
import signal
import socket
import statistics
import struct
import threading
import time
from collections import deque
from pathlib import Path

from book import now
from clients import Clients
from forms import BOUNDARY, submission

KEPT = 24  # connections that are left idle; the server ends those of which it has enough by itself
STALLED = 6  # that stop in the middle of a request
LOST = b"nothing like HTTP\r\n\r\n"


class People(Clients):
    def __init__(self, *scene):
        super().__init__(*scene)
        self.kept, self.stalled = deque(), deque()
        self.times = []  # of reads of a status, in milliseconds, since somebody took them
        self.wrong = []  # answers that should have been others

    def deeds(self):
        more = (self.some_reads, 20), (self.some_lists, 12), (self.some_nonsense, 12), (self.some_hang_up, 10), (self.some_stall, 3), (self.some_queue, 3)
        return [(self.answered(deed), weight) for deed, weight in (*super().deeds(), *more)]

    def answered(self, deed):
        """In a soak everybody is answered; who is not says so, and goes on."""
        def tried(rng):
            try:
                deed(rng)
            except (OSError, http.client.HTTPException) as failure:
                self.expect(deed.__name__, repr(failure), "an answer")
        return tried

    def call(self, op, *request, **facts):
        code, document = super().call(op, *request, **facts)
        away = op in ("drain", "resume") and re.search("it is not configured|it has not answered yet|the server closed the conversation", str(document))  # what the caretaker does
        self.expect(op, "an answer" if away or code and code < 500 else code, "an answer")
        return code, document

    def read(self, server, what, job):
        began = time.perf_counter()
        answer = super().read(server, what, job)
        if what == "status":
            with self.lock:
                self.times.append(1000 * (time.perf_counter() - began))
        return answer

    def taken_times(self):
        with self.lock:
            times, self.times = self.times, []
        return times

    def expect(self, what, code, *codes):
        if code not in codes:
            with self.lock:
                self.wrong.append(f"{what} was answered with {code}, not with {' or '.join(map(str, codes))}")

    def some_reads(self, rng):
        """A program that asks again and again on one connection, and keeps it when it wants nothing more."""
        job = self.some_job(rng)
        if not job:
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.some_server(rng).port, timeout=30)
        for _ in range(rng.randrange(1, 8)):
            connection.request("GET", f"/api/{rng.choice(('status', 'results'))}/{job}")
            answer = connection.getresponse()
            answer.read()
            self.expect("a read", answer.status, 200, 404)  # an operator's job, of whose node the server has not heard
            self.over.wait(0.05)
        self.keep(self.kept, connection, KEPT)

    def keep(self, held, connection, most):
        """The oldest goes when there are too many."""
        with self.lock:
            held.append(connection)
            oldest = held.popleft() if len(held) > most else None
        if oldest:
            oldest.close()

    def some_lists(self, rng):
        path = rng.choice(("/api/nodes", "/api/jobs?limit=100", "/api/jobs?status=running", "/api/jobs?status=failed&limit=5", "/health", "/openapi", "/docs/"))
        connection = http.client.HTTPConnection("127.0.0.1", self.some_server(rng).port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            self.expect(path, answer.status, 200)
        finally:
            connection.close()

    def some_nonsense(self, rng):
        """What must be refused."""
        body, headers = submission("nobody", "pass\n")
        server, form = self.some_server(rng), {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        what, (method, path, body, headers), codes = rng.choice((
            ("another competition", ("POST", "/api/submit", *submission("nobody", "pass\n", competition_id="nowhere")), (400,)),
            ("a wrong token", ("POST", "/api/submit", body.replace('token: "sarang"', 'token: "wrong"'), headers), (401, 403)),
            ("a million GPUs", ("POST", "/api/submit", *submission("nobody", "pass\n", gpus=1_000_000)), (400,)),
            ("a solution that is too large", ("POST", "/api/submit", *submission("nobody", "#" * (1 << 20) + "\n")), (400, 413)),
            ("no form", ("POST", "/api/submit", "{}", {"Content-Type": "application/json"}), (400, 415)),
            ("half a form", ("POST", "/api/submit", f"--{BOUNDARY}\r\nContent-Disposition: form-data; na", form), (400,)),
            ("an unknown job", ("GET", "/api/status/00000000-0000-4000-8000-000000000000", None, {}), (404,)),
            ("no id", ("GET", "/api/results/no-id", None, {}), (400, 404)),
            ("a cursor of its own", ("GET", "/api/jobs?cursor=mine", None, {}), (400,)),
            ("a wrong method", ("DELETE", "/api/jobs", None, {}), (405,)),
            ("an order of a nobody", ("POST", "/api/nodes/0/drain", None, {"Authorization": "Bearer nobody"}), (401, 403)),
        ))
        code, _ = self.call("nonsense", server, method, path, body, headers)
        self.expect(what, code, *codes)

    def some_hang_up(self, rng):
        """Who waits for a job and does not hear its end; or stops in the middle of the upload."""
        server, token = self.some_server(rng), self.token(rng)
        body, headers = submission(token, self.witness.solution(token, rng.choice((0, 1))))
        whole, length = rng.random() < 0.4 and self.queued() <= 4, len(body)
        head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", "Content-Length": length, **headers}.items())
        if whole:
            self.book.write("call", op="submit", server=server.number, sent=now(), token=token)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(f"POST /api/submit?wait=true HTTP/1.1\r\n{head}\r\n{body if whole else body[:rng.randrange(length)]}".encode())
            self.over.wait(rng.random())
            if rng.random() < 0.5:  # as of a process that is killed, not a host that says good-bye
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def some_stall(self, rng):
        """Who says a part and then nothing, without hanging up."""
        connection = socket.create_connection(("127.0.0.1", self.some_server(rng).port), timeout=30)
        connection.sendall(rng.choice((b"", b"GET /api/no", b"GET /api/nodes HTTP/1.1\r\nHost: lo", b"POST /api/submit HTTP/1.1\r\nContent-Length: 99\r\n\r\n--", LOST)))
        self.keep(self.stalled, connection, STALLED)

    def some_queue(self, rng):
        node = rng.choice(self.world.nodes)
        code, _ = node.gpuq(*rng.choice((("queue",), ("queue", "--json"), ("list", "--json"), ("info",), ("doctor",))))
        self.expect("gpuq", code, 0)

    def leave(self):
        for connection in (*self.kept, *self.stalled):
            connection.close()


class Pace(threading.Thread):
    """People as busy as this machine carries: they pause less while its processors are idle, and more while they are not. When they have
    settled they keep their pace, so that what is judged then is under one load from its beginning to its end."""
    BUSY = 0.85  # of all processors; the rest is for what comes all at once
    EVERY = 5  # seconds
    PAUSES = 0.05, 5.0
    LAST = 24  # pauses, whose middle is kept: two minutes

    def __init__(self, people, settles):
        """@param settles: after so many seconds"""
        super().__init__()
        self.people, self.settles, self.over, self.busy, self.pauses = people, settles, threading.Event(), [], []
        people.pause = 1.0

    def run(self):
        before, settled = self.times(), time.monotonic() + self.settles
        while not self.over.wait(self.EVERY):
            then, before = before, self.times()
            idle, whole = (b - a for a, b in zip(then, before))
            self.busy.append(1 - idle / whole)
            self.people.pause = self.next() if time.monotonic() < settled else statistics.median(self.pauses[-self.LAST:])

    def next(self):
        least, most = self.PAUSES
        self.pauses.append(min(max(self.people.pause * min(max(self.busy[-1] / self.BUSY, 0.7), 1.3), least), most))
        return self.pauses[-1]

    @staticmethod
    def times():
        """Of all processors since they began: how long they were idle, and how long in all."""
        times = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return times[3] + times[4], sum(times)

    def stop(self):
        self.over.set()
        self.join()


class Caretaker(threading.Thread):
    """What timers and an administrator do: old jobs go away, and the server reads its configuration anew."""

    PURGE = 30  # seconds
    RELOAD = 60
    AWAY = 10  # for which a node is not in the configuration

    def __init__(self, scene, retention, ended):
        """@param retention: seconds for which nodes keep what has ended; ended: takes down what their spools say, before it goes"""
        super().__init__()
        self.world, self.people, self.retention, self.ended = scene.world, scene.clients, retention, ended
        self.server, self.over = scene.world.servers[0], threading.Event()
        self.text = self.server.configuration.read_text()
        self.purged = self.reloads = 0

    def run(self):
        purge, reload = time.monotonic() + self.PURGE, time.monotonic() + self.RELOAD / 2
        while not self.over.wait(0.2):
            if time.monotonic() > purge:
                purge += self.PURGE
                self.clean()
            if time.monotonic() > reload:
                reload += self.RELOAD
                self.reload()

    def clean(self):
        self.ended()
        for node in self.world.nodes:
            self.people.expect("gpuq dispatch", node.gpuq("dispatch")[0], 0)
            code, said = node.gpuq("purge", "--older-than", str(self.retention))
            self.people.expect("gpuq purge", code, 0)
            self.purged += int(said.split()[1]) if code == 0 else 0

    def reload(self):
        """Nothing new; a fault; the last node otherwise than before, so that it is let go and reached for; without it, and with it again. The
        conversations with the others last as long as the soak."""
        before, _, last = self.text.rstrip("\n").rpartition("\n")
        otherwise = f"{before}\n{last.replace('/gpuq,', '/./gpuq,')}\n"
        first, *more = ((self.text,), ("mode: whatever\n" + self.text,), (otherwise,), (before + "\n", self.text))[self.reloads % 4]
        self.tell(first)
        for text in more:
            self.over.wait(self.AWAY)
            self.tell(text)
        self.reloads += 1

    def tell(self, text):
        self.server.configuration.write_text(text)
        self.server.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.over.set()
        self.join()
        self.tell(self.text)
