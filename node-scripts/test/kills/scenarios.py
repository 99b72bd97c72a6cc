"""What is swept: each scenario prepares a spool once, acts on a copy of it, and knows what whoever lost an answer does again.

`act` is what gets killed. `again` comes after that, unharmed. `ends` says how each job may end; `exited` if it is not named.
"""

import os
import shutil

from world import now

JOB, NEXT = "550e8400-e29b-41d4-a716-446655440001", "550e8400-e29b-41d4-a716-446655440002"
UNKNOWN = "550e8400-e29b-41d4-a716-44665544000f"
NOBODY = 4194304  # a pid that there cannot be
STUBBORN = "trap '' TERM; (trap '' TERM; setsid sleep 100 &); read -r _ <\"$GATE\"; read -r _ <\"$GATE\""
HELD = 'true >"$DIR/held"; read -r _ <"$GATE"'


class Scenario:
    settings = {}
    ends = {}

    def prepare(self, world):  # by hand and unharmed; leaves a spool in which nothing runs
        world.gpuq("info")

    def act(self, world):
        raise NotImplementedError

    def again(self, world):
        pass

    def waiting(self, world, *names, body=":", options=()):
        """Jobs that wait, in a spool that does not drain."""
        world.gpuq("drain")
        for name in names:
            world.submit(name, body, *options)
        os.unlink(world.spool / "drain")


class Submit(Scenario):
    """a submit by hand, its dispatch and its supervisor"""

    def act(self, world):
        world.submit("JOB", "(setsid sleep 100 &); echo out", "--env", "GREETING=hello")
        world.rest()


class First(Scenario):
    """the first use of a spool"""

    settings = {"slots": ""}

    def prepare(self, world):
        world.spool.mkdir()

    def act(self, world):
        os.rmdir(world.spool)
        world.submit("JOB")
        world.rest()


class Serve(Scenario):
    """a submit by a server, sent again after a lost answer"""

    def act(self, world):
        world.converse(("submit", "JOB", world.payload("JOB", "echo '{}' >results.jsonl")), ("status", "JOB"), epoch=7)
        world.rest()

    def again(self, world):
        answer, = world.converse(("submit", "JOB", world.payload("JOB", "echo '{}' >results.jsonl")), epoch=7)
        assert answer.code == 0, answer


class Twice(Scenario):
    """a submit of what is there already, half published, and of what was released"""

    def prepare(self, world):
        self.waiting(world, "NEXT")
        copy = world.folder / "copy"
        shutil.copytree(world.home("NEXT"), copy)
        world.gpuq("dispatch")
        world.tree.quiet()
        world.by_hand("release", "NEXT")
        self.waiting(world, "JOB")
        ticket(world, "JOB").unlink()
        os.rename(copy, world.home("NEXT"))

    def act(self, world):
        world.converse(("submit", "JOB", world.payload("JOB")), ("submit", "NEXT", world.payload("NEXT")))
        world.rest()

    again = act


class Dispatch(Scenario):
    """a dispatch of a job that takes two slots"""

    settings = {"slots": 2}

    def prepare(self, world):
        self.waiting(world, "JOB", options=("--gpus", "2"))

    def act(self, world):
        world.by_hand("dispatch")
        world.rest()


class Supervise(Scenario):
    """a supervisor to the end of its job, which leaves results, and the start of the next one"""

    def prepare(self, world):
        self.waiting(world, "JOB", "NEXT", body="echo '{}' >results.jsonl; head -c 20000 /dev/zero; (setsid sleep 100 &)")

    def act(self, world):
        (world.spool / "slots/slot0").write_text(f"{world.home('JOB').name} 4711 {now()}\n")
        world.tree.wait(world.begin(shutil.which("flock"), "--no-fork", world.home("JOB") / "life", shutil.which("bash"),
                                    world.program, "supervise", world.id("JOB"), 1, 4711))
        world.rest()


class Spoil(Scenario):
    """the end of a job that has spoilt its own home, and the next one"""

    body = r"""echo out; cd ..; printf 'state waiting\noutcome cancelled\n' >>job; rm -r .new; mv stdout work; ln -s work/stdout stdout"""

    def prepare(self, world):
        self.waiting(world, "JOB", body=self.body)
        self.waiting(world, "NEXT")

    def act(self, world):
        world.by_hand("dispatch")
        world.rest()


class Limit(Scenario):
    """the end of a job by its time limit"""

    ends = {"JOB": {"time_limit"}}

    def prepare(self, world):
        self.waiting(world, "JOB", body=STUBBORN, options=("--time", "1"))

    def act(self, world):
        world.by_hand("dispatch")
        world.rest()


class CancelWaiting(Scenario):
    """the cancel of a job that waits"""

    ends = {"JOB": {"cancelled"}}

    def prepare(self, world):
        self.waiting(world, "JOB")
        world.gpuq("drain")

    def act(self, world):
        world.by_hand("cancel", "JOB")

    def again(self, world):
        world.by_hand("cancel", "JOB")
        world.by_hand("resume")


class CancelStarting(Scenario):
    """a cancel against a begin"""

    ends = {"JOB": {"cancelled"}}

    def prepare(self, world):
        self.waiting(world, "JOB", body=HELD)

    def act(self, world):
        sent, pids = now(), [None, None]
        verbs = [("dispatch",), ("cancel", world.id("JOB"))]
        first = world.draw.randrange(2)
        pids[first] = world.begin(world.program, *verbs[first], number=first)
        world.after(world.draw.randrange(8 if first else 40))
        pids[not first] = world.begin(world.program, *verbs[not first], number=1 - first)
        world.tree.wait(pids[0])
        world.told("cancel", "JOB", sent, world.end(pids[1], 1))
        world.rest()

    def again(self, world):
        world.by_hand("cancel", "JOB")


class CancelRunning(Scenario):
    """the cancel of a job that has forked, left its session and ignores TERM"""

    ends = {"JOB": {"cancelled"}}
    body = STUBBORN

    def prepare(self, world):
        self.waiting(world, "JOB", body=self.body)

    def act(self, world):
        world.tree.counting = False
        world.by_hand("dispatch")
        world.until_begun("JOB")
        world.tree.counting = True
        self.interfere(world)
        world.by_hand("cancel", "JOB")
        world.rest()

    def interfere(self, world):
        pass

    def again(self, world):
        world.by_hand("cancel", "JOB")


class CancelEnding(CancelRunning):
    """a cancel against an end"""

    ends = {"JOB": {"cancelled", "exited"}}
    body = HELD

    def interfere(self, world):
        world.open_gate()
        world.after(world.draw.randrange(30))


class WithdrawWaiting(Scenario):
    """the withdrawal of a job that waits"""

    ends = {"JOB": {"withdrawn"}}

    def prepare(self, world):
        self.waiting(world, "JOB")
        world.gpuq("drain")

    def act(self, world):
        world.converse(("withdraw", "JOB"))

    def again(self, world):
        answer, = world.converse(("withdraw", "JOB"))
        assert answer.code == 0, answer
        world.by_hand("resume")


class WithdrawUnknown(Scenario):
    """the withdrawal of a job that was never seen, and a submit that comes too late"""

    ends = {"JOB": {"withdrawn", "exited"}}  # not withdrawn is what was answered so

    def act(self, world):
        world.converse(("withdraw", "JOB"), ("submit", "JOB", world.payload("JOB")))
        world.rest()

    def again(self, world):
        for answer in world.converse(("withdraw", "JOB"), ("submit", "JOB", world.payload("JOB"))):
            assert answer.code == 0, answer


class Release(Scenario):
    """a fetch and a release"""

    def prepare(self, world):
        world.submit("JOB", "echo out; echo '{}' >results.jsonl")
        world.tree.quiet()

    def act(self, world):
        world.converse(("fetch", "JOB", "stdout", "0", "1000"), ("release", "JOB"))

    def again(self, world):
        answer, = world.converse(("release", "JOB"))
        assert answer.code == 0, answer
        assert not world.home("JOB").exists()


class Drain(Scenario):
    """a drain, another one, and a resume"""

    def prepare(self, world):
        self.waiting(world, "JOB")
        world.gpuq("drain")

    def act(self, world):
        world.by_hand("drain")
        world.by_hand("resume")
        world.rest()

    def again(self, world):
        world.by_hand("resume")


class Server(Scenario):
    """the begin of a conversation by a new server, over a journal that is full"""

    def prepare(self, world):
        world.submit("JOB")
        world.tree.quiet()
        journal, = (world.spool / "journal").iterdir()
        line = f"{UNKNOWN} 1 1 waiting"
        with open(journal, "a", encoding="utf-8") as file:
            file.write(f"{line} {len(line)}\n" * 22000)

    def act(self, world):
        world.converse(("list",), epoch=8)

    def again(self, world):
        world.converse(("list",), epoch=8)


class Boot(Scenario):
    """the first look after a boot"""

    ends = {"LOST": {"system rebooted"}}

    def prepare(self, world):
        self.waiting(world, "LOST", "NEXT")
        running(world, "LOST", 0, boot="another")
        machine = (world.spool / "machine").read_text()
        (world.spool / "machine").write_text(machine.replace("boot ", "boot 0"))

    def act(self, world):
        world.by_hand("queue")
        world.rest()


class Recover(Scenario):
    """a recover over whatever kills may leave"""

    settings = {"slots": 6}
    ends = {"LOST": {"system supervisor_lost"}, "TORN": {"system supervisor_lost"}, "STOPPED": {"cancelled"}}

    def prepare(self, world):
        self.waiting(world, "LOST", "TORN", "DECIDED", "DONE", "BEGUN", "CLAIMED", "MUTE", "STOPPED", "HIDDEN")
        (world.spool / "drain").write_text("by hand\n")
        running(world, "LOST", 0)
        running(world, "TORN", 1)
        (world.home("TORN") / "status").write_text("")
        running(world, "DECIDED", 2)
        (world.home("DECIDED") / "verdict").write_text("exited 0\n")
        done = running(world, "DONE", 3)
        (world.home("DONE") / "status").write_text(done + f"ended_at {now()}\noutcome exited\nexit_code 0\n")
        replace(world.home("DONE") / "status", "running", "ended")
        claim(world, "BEGUN", 4)
        (world.home("BEGUN") / "begun").write_text("supervisor 1\n")
        claim(world, "CLAIMED", 5)
        (world.home("MUTE") / "begun").write_text("")
        (world.home("STOPPED") / "begun").write_text("cancelled\n")
        ticket(world, "HIDDEN").unlink()
        (world.spool / f"queue/00000000000000000001.{UNKNOWN}.1").touch()
        half = next((world.spool / "blank").iterdir())
        (half / "owner").write_text(f"{NOBODY}\n")
        (half / "job").write_text("job")
        (world.spool / f"incoming/payload.{NOBODY}").write_text("file")
        for name in ("DECIDED", "DONE"):
            with open(world.says / "runs", "a", encoding="utf-8") as file:
                file.write("".join(f"{what} {world.id(name)} 1 {now()} 0 -\n" for what in ("begin", "end")))

    def act(self, world):
        world.by_hand("recover")

    def again(self, world):
        world.by_hand("resume")


# As kills leave it.

def replace(file, old, new):
    file.write_text(file.read_text().replace(old, new))


def ticket(world, name):
    return next((world.spool / "queue").glob(f"*.{world.home(name).name}"))


def claim(world, name, slot):
    (world.spool / f"slots/slot{slot}").write_text(f"{world.home(name).name} 1 1\n")


def running(world, name, slot, boot=None):
    """Its supervisor is dead; what its status says."""
    home = world.home(name)
    claim(world, name, slot)
    os.rename(ticket(world, name), home / ticket(world, name).name)
    boot = boot or next(line[5:] for line in (world.spool / "machine").read_text().splitlines() if line.startswith("boot "))
    (home / "begun").write_text("supervisor 1\n")
    (home / "life").write_text(f"boot {boot}\nsupervisor {NOBODY} 1\ncontained {NOBODY} 1\n")
    (home / "stdout").write_text("")
    (home / "stderr").write_text("")
    replace(home / "status", "seq 1\nstate waiting", f"seq 2\nstate running\nslots {slot}")
    with open(home / "status", "a", encoding="utf-8") as file:
        file.write(f"started_at {now()}\n")
    return (home / "status").read_text()


SCENARIOS = {cls.__name__.lower(): cls for cls in Scenario.__subclasses__() + CancelRunning.__subclasses__()}
