"""One spool, what is done to it, and what is written down of that: the records that races/history.py knows."""

import collections
import os
import pathlib
import random
import re
import select
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "races"))
from killer import Tree  # noqa: E402  # pylint: disable=wrong-import-position
from spool import JOB as HEAD, Spool, facts, now  # noqa: E402  # pylint: disable=wrong-import-position

Answer = collections.namedtuple("Answer", "code out said")
HEAL_PATIENCE = 6_000_000  # microseconds; a little more than lib/heal.bash has


class Cut(Exception):
    """Everything was killed, whoever acts here among it."""


class World:
    def __init__(self, gpuq, folder, settings):
        self.program, self.folder, self.settings = gpuq, folder, settings
        self.spool = folder / "spool"
        self.says = folder / "says"  # what jobs say of themselves
        self.gate = folder / "gate"  # at which a job may wait, without polling
        self.names = {}  # id of a job -> what we call it
        self.coming = "?"  # what we shall call one whose id we do not know yet
        self.tree = None
        self.records = []
        folder.mkdir(parents=True)
        os.mkfifo(self.gate)
        (folder / "gpuq.conf").write_text("".join(f"GPUQ_{name.upper()}={value}\n" for name, value in settings.items()))
        self.gate_held = os.open(self.gate, os.O_RDWR)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C", "GPUQ_CONF": str(folder / "gpuq.conf"),
            "GPUQ_SPOOL": str(self.spool),
        }

    def prepare(self, how, names):
        """What that leaves is what every run begins with."""
        self.names = names
        self.begin_anew(Tree(), random.Random(0))
        self.traced = False
        how(self)
        self.tree.quiet()
        for folder in (self.spool, self.says):
            os.rename(folder, f"{folder}.kept")

    def begin_anew(self, tree, draw):
        for folder in (self.spool, self.says):
            shutil.rmtree(folder, ignore_errors=True)
            if os.path.exists(f"{folder}.kept"):
                shutil.copytree(f"{folder}.kept", folder)
        self.says.mkdir(exist_ok=True)
        (self.says / "runs").touch()
        (self.folder / "said").write_text("")
        self.close_gate()
        self.tree, self.draw, self.records, self.traced = tree, draw, [], True
        self.names = {job: name for job, name in self.names.items() if name != "AFTER"}
        self.eyes = Spool(self.spool, self.says)

    def nobody_dies_any_more(self):
        self.tree.counting = self.tree.cut = self.traced = False
        self.look()

    def plain(self, text):
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda match: self.names.get(match[0], self.coming), text)
        text = text.replace(f"{self.folder}/", "").replace(str(pathlib.Path(self.program).parent.parent), "")
        return re.sub(r"\d{3,}", "#", re.sub(r"((?:incoming|blank)/[^ /]*)\.\d+", r"\1.#", text))

    def home(self, name):
        return self.spool / "jobs" / f"{self.id(name)}.1"

    def meet(self, job, name):
        self.names = {**{other: known for other, known in self.names.items() if known != name}, job: name}

    def id(self, name):
        return next(job for job, known in self.names.items() if known == name)

    # What people and servers do.

    def begin(self, *words, stdin=b"", number=0):
        if self.tree.cut:
            self.tree.quiet()
            raise Cut
        (self.folder / f"in{number}").write_bytes(stdin)
        return self.tree.start([*map(str, words)], self.environment, str(self.folder), str(self.folder / f"in{number}"),
                               str(self.folder / f"out{number}"), str(self.folder / "said"), self.traced)

    def end(self, pid, number=0):
        code, = self.tree.wait(pid)
        if self.tree.cut:
            self.tree.quiet()
        if code == 128 + 9 and self.traced and self.tree.killed:
            code = None  # it ended because a process of its own was killed, which is an end as by a kill
        return Answer(code, (self.folder / f"out{number}").read_bytes().decode(), (self.folder / "said").read_text())

    def gpuq(self, *words, stdin=b""):
        return self.end(self.begin(self.program, *words, stdin=stdin))

    def write(self, op, sent, **fields):
        self.records.append({"kind": "call", "op": op, "sent": sent, **fields})
        if self.tree.cut:
            raise Cut

    def by_hand(self, op, name=None, *words):
        sent = now()
        return self.told(op, name, sent, self.gpuq(op, *words, *([self.id(name)] if name else [])))

    def told(self, op, name, sent, answer):
        fields = {"by": "hand", "job": name and self.id(name), "attempt": name and 1}
        if answer.code is not None:
            fields.update(answered=now(), code=answer.code, says=answer.said)
            otherwise = re.search(r"ended otherwise: (\w+)\n$", answer.said)
            if op == "cancel" and (answer.code == 0 or otherwise):
                fields["outcome"] = "cancelled" if answer.code == 0 else otherwise[1]
            if fields.get("outcome"):
                fields["alive"] = self.eyes.alive(self.id(name), 1)
        self.write(op, sent, **fields)
        return answer

    def script(self, body, job="$GPUQ_JOB"):
        return f"DIR='{self.says}' GATE='{self.gate}' ID={job} ATTEMPT=1\n{HEAD}{body}\nnote end\n".encode()

    def submit(self, name, body=":", *options, **more):
        """By hand. An id that was printed is a promise, also of somebody who was killed right after."""
        sent, self.coming = now(), name
        answer = self.gpuq("submit", "--script", "-", *options, "--", "argument", stdin=self.script(body))
        if answer.out.endswith("\n"):
            self.meet(answer.out.strip(), name)
            self.write("submit", sent, by="hand", job=answer.out.strip(), attempt=1, answered=now(), code=0)
        elif answer.code is not None:
            self.write("submit", sent, by="hand", job=None, attempt=1, answered=now(), code=answer.code, says=answer.said)
        else:
            self.write("submit", sent, by="hand", job=None, attempt=1)
        return answer

    def payload(self, name, body=":", **more):
        job = self.id(name)
        about = {"job": job, "attempt": 1, "origin": "server", "user": "sarang", "template": "script", "gpus": 1, "priority": 0,
                 "expected_time": 5, "time_limit": 60, "submitted_at": 1763400000123456, **more}
        lines = "".join(f"{key} {value}\n" for key, value in about.items()).encode()
        launch = self.script(body, job)
        return b"file job %d\nfile launch.sh %d\n\n" % (len(lines), len(launch)) + lines + launch

    def converse(self, *commands, epoch=0):
        """As a server. A command is (verb, name, payload or words); the answers, as far as they came."""
        text, sent, answers = b"", now(), []
        for tag, (verb, *rest) in enumerate(commands):
            words = [self.id(rest[0]), "1"] if rest else []
            body = rest[1] if len(rest) > 1 and isinstance(rest[1], bytes) else b""
            words += [] if body else rest[1:]
            text += " ".join([str(tag), str(epoch), verb, *words, str(len(body))]).encode() + b"\n" + body
        said = self.gpuq("serve", stdin=text).out.encode()
        said = said.partition(b"\n")[2]
        for tag, (verb, *rest) in enumerate(commands):
            head, _, said = said.partition(b"\n")
            word = head.split()
            fields = {"by": "serve", "job": rest[0] and self.id(rest[0]) if rest else None, "attempt": 1 if rest else None}
            if len(word) == 3 and len(said) >= int(word[2]):
                body, said = said[:int(word[2])].decode(), said[int(word[2]):]
                answers.append(Answer(int(word[1]), body, ""))
                fields.update(answered=now(), code=int(word[1]), says=body if word[1] != b"0" else "")
                about = dict(line.partition(" ")[::2] for line in body.splitlines()) if rest and word[1] == b"0" else {}
                fields.update((key, about[key]) for key in ("state", "outcome") if key in about)
                if fields.get("outcome"):
                    fields["alive"] = self.eyes.alive(fields["job"], 1)
            else:
                said = b""
            self.records.append({"kind": "call", "op": verb, "sent": sent, **fields})
        if self.tree.cut:
            raise Cut
        return answers

    def follow(self, generation, offset, word):
        """Watches from there, until it is told so."""
        bell = self.folder / "bell"
        if not bell.exists():
            os.mkfifo(bell)
        held = os.open(bell, os.O_RDWR)
        out = self.folder / "events"
        out.write_text("")
        watch = self.tree.start([self.program, "watch", "--from", f"{generation}:{offset}", "--beat", "1"], self.environment,
                                str(self.folder), str(bell), str(out), str(self.folder / "said"), False)
        while word not in out.read_text():
            select.select([], [], [], 0.02)
        os.close(held)
        self.tree.wait(watch)

    def open_gate(self):
        os.write(self.gate_held, b"\n")

    def close_gate(self):
        os.set_blocking(self.gate_held, False)
        try:
            os.read(self.gate_held, 100)
        except BlockingIOError:
            pass

    def until_begun(self, name):
        self.tree.until(lambda: f"begin {self.id(name)} " in (self.says / "runs").read_text())

    def after(self, points):
        """When as many calls as these have been made, or something was killed, or nothing runs any more."""
        goal = len(self.tree.points) + points
        try:
            self.tree.until(lambda: len(self.tree.points) >= goal or self.tree.killed)
        except ChildProcessError:
            pass

    def rest(self):
        """Until nothing runs any more, or something was killed."""
        try:
            self.tree.until(lambda: self.tree.killed)
        except ChildProcessError:
            pass
        if self.tree.cut:
            self.tree.quiet()
            raise Cut

    # What is to be seen.

    def look(self):
        self.records += [seen for seen in self.eyes.changes() if seen["state"] != "torn"]

    def grow_older(self):
        """As if the patience with supervisors that have not come yet were over. For when nothing runs."""
        for slot in (self.spool / "slots" / name for name in self.eyes.entries("slots")):
            words = slot.read_text().split()
            if len(words) == 3:
                slot.write_text(f"{words[0]} {words[1]} {int(words[2]) - HEAL_PATIENCE}\n")

    def status(self, home):
        return facts(home, (home if home.is_file() else home / "status").read_text())
