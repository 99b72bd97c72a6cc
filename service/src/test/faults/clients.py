"""Who uses the queue: people and agents over HTTP, an administrator, operators at the nodes. All that they ask and hear is written down."""

import hashlib
import http.client
import random
import threading
import uuid

from book import now
from ends import moment
from forms import submission

AT_ONCE = 14  # jobs that are wanted in the queues at most: everything shall be under way, not wait


class Clients:
    pause = 0.25  # seconds, at most, of a hand between two deeds

    def __init__(self, world, witness, book, seed):
        self.world, self.witness, self.book, self.seed = world, witness, book, seed
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.jobs = []  # that somebody may meddle with

    # One call each.

    def call(self, op, server, method, path, body=None, headers=None, patience=30, **facts):
        """The code and the document of the answer; 0 when nobody knows what came of it, and None when nobody was there to hear it."""
        sent = now()
        record = {"op": op, "server": server.number, "sent": sent, **facts}
        try:
            code, document = server.ask(method, path, body, headers, patience)
            record |= {"answered": now(), "code": code, **self.facts(document)}
            if record.get("status") == "cancelled":
                record["alive"] = self.witness.alive(record["job"])
        except ConnectionRefusedError:
            return None, {}
        except (OSError, http.client.HTTPException, ValueError):
            code, document = 0, {}
        self.book.write("call", **record)
        return code, document

    @staticmethod
    def facts(document):
        """Of a job: only an ended one's facts stay."""
        if not isinstance(document, dict) or not document.get("job_id"):
            return {"says": document["detail"]} if isinstance(document, dict) and "detail" in document else {}
        facts = {"job": document["job_id"], "status": document["status"]}
        if document["status"] in ("completed", "failed", "cancelled") and "completed_at" in document:
            facts |= {"completed_at": moment(document["completed_at"]), "exit_code": document["exit_code"]}
            if document.get("stdout"):
                facts["document"] = hashlib.sha256(document["stdout"].encode()).hexdigest()
        return facts

    def submit(self, server, token, solution, wait=False, key=False, patience=30, **settings):
        body, headers = submission(token, solution, key, **settings)
        return self.call("submit", server, "POST", f"/api/submit?wait={str(wait).lower()}", body, headers, patience, token=token)

    def cancel(self, server, job, patience=30):
        headers = self.world.boss()
        code, document = self.call("cancel", server, "POST", f"/api/cancel/{job}", headers=headers, patience=patience, job=job)
        if code == 200:  # the answer names no job
            self.read(server, "status", job)
        return code

    def read(self, server, what, job):
        return self.call(what, server, "GET", f"/api/{what}/{job}", job=job)

    def tell(self, server, node, what, patience=30):
        """As the administrator: drain, resume, lost."""
        return self.call(what, server, "POST", f"/api/nodes/{node.number}/{what}", headers=self.world.boss(), patience=patience, node=node.number)[0]

    def operator(self, node, token, seconds=0.0, gate=None):
        """A job that is submitted by hand; its id, or nothing."""
        script = node.file(f"{token}.sh", self.witness.script(token, seconds, gate))
        sent = now()
        code, job = node.gpuq("submit", "--script", script, "--name", token)
        self.book.write("call", op="operator", node=node.number, token=token, sent=sent, answered=now(), code=200 if code == 0 else code, job=job or None)
        return job if code == 0 else None

    # The storm: each of these is one hand, on a thread of its own, until it is over.

    def hand(self, number):
        rng = random.Random(f"{self.seed} hand {number}")
        deeds, weights = zip(*self.deeds())
        while not self.over.is_set():
            deed, = rng.choices(deeds, weights)
            deed(rng)
            self.over.wait(rng.random() * self.pause)

    def deeds(self):
        """What a hand does, and how often of a hundred."""
        return (self.some_submit, 50), (self.some_cancel, 14), (self.some_look, 20), (self.some_operator, 6), (self.some_order, 6)

    def some_server(self, rng):
        return rng.choice(self.world.servers)

    def some_job(self, rng):
        with self.lock:
            return rng.choice(self.jobs[-12:]) if self.jobs else None

    def meet(self, job):
        with self.lock:
            self.jobs.append(job)

    def token(self, rng):
        return f"t{rng.getrandbits(24):06x}-{uuid.uuid4().hex[:8]}"

    def some_submit(self, rng):
        if self.queued() > AT_ONCE:
            return
        seconds, wait, key = rng.choice((0, 0, 0.1, 0.5, 2)), rng.random() < 0.25, rng.random() < 0.7
        solution, more = self.solution(rng, seconds)
        token = self.token(rng)
        while not self.over.is_set():
            code, document = self.submit(self.some_server(rng), token, solution(token), wait, key, patience=100 if wait else 8, **more)
            if code == 200:
                return self.meet(document["job_id"])
            if code not in (None, 503) and not (key and code == 0):
                return None  # refused; or nobody knows, and without a key it is never sent again
            token = token if key else self.token(rng)
            self.over.wait(0.2)
        return None

    def queued(self):
        for server in self.world.servers:
            views = self.world.views(server)
            if views:
                return sum(node["queue_length"] for node in views.values())
        return 0

    def solution(self, rng, seconds):
        """What makes the text of one, and what its submit says besides."""
        more = {"priority": rng.choice((-1, 0, 0, 0, 5)), "gpus": rng.choice((1, 1, 1, 2))}
        if rng.random() < 0.15:
            return (lambda token: self.witness.solution(token, seconds, ending="raise SystemExit('it gives up')\n")), more
        return (lambda token: self.witness.solution(token, seconds)), more

    def some_cancel(self, rng):
        if job := self.some_job(rng):
            self.cancel(self.some_server(rng), job)

    def some_look(self, rng):
        if job := self.some_job(rng):
            self.read(self.some_server(rng), rng.choice(("status", "results")), job)

    def some_operator(self, rng):
        node = rng.choice(self.world.nodes)
        if job := self.operator(node, self.token(rng), rng.choice((0, 0.5))):
            self.meet(job)

    def some_order(self, rng):
        """Not all nodes are drained at once, or nothing would happen."""
        node = rng.choice(self.world.nodes)
        if node.number == 0:
            self.tell(self.some_server(rng), node, "resume")
        else:
            self.tell(self.some_server(rng), node, rng.choice(("drain", "resume", "resume")))
