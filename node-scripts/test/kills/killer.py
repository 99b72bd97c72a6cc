"""Follows all processes that a command starts, and kills at one of the calls by which they change something.

  tree = Tree(at=("mv of gpuq submit: renameat2 incoming/… -> jobs/…", 1), scope="one")
  code, = tree.wait(tree.start([gpuq, "submit", …], environment, folder))
  tree.quiet()

ptrace follows every child, and every process stops before the calls of calls.py. Each such stop is a point. Points have names
(who does what to what, and for which time) and no numbers, because what runs side by side comes in another order each time.
At the point `at` SIGKILL comes before the kernel has done anything of the call:

  one    to the process that calls
  boss   to the gpuq that the caller works for; the caller goes on as an orphan
  all    to everything in the tree, at the same moment: what else stands before a call does not come through either

Nothing is gained by kills behind a call: that is before the next call of the same process, and its end is a call, too. What is
the user's (launch.sh and all that it starts) is no target of `one`: nobody promises to survive a job that dies.
"""

import collections
import ctypes
import os
import signal

from calls import CREATES, describe, install_filter, libc

SEIZE, CONT, LISTEN, EVENT_MESSAGE = 0x4206, 7, 0x4208, 0x4201
FORK, VFORK, CLONE, EXEC, SECCOMP, STOP = 1, 2, 3, 4, 7, 128
OPTIONS = 1 << FORK | 1 << VFORK | 1 << CLONE | 1 << EXEC | 1 << SECCOMP | 0x100000  # the last: they die with us
WAIT_ALL = 0x40000000
SUBREAPER = 36

Point = collections.namedtuple("Point", "name time scopes")  # scopes: those that make sense there


def ptrace(request, pid, address=0, data=0):
    """Fails silently for one that was killed meanwhile: its end is reported later."""
    return libc.ptrace(request, pid, address, data)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")[:-1]
    except OSError:
        return []


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def descendants(pid):
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children = file.read().split()
            for child in children:
                yield int(child)
                yield from descendants(int(child))
    except OSError:
        pass  # it has ended


class Process:
    def __init__(self, pid, parent=None):
        self.pid = pid
        self.role, self.boss, self.is_user = ("", None, False)
        if parent:
            self.role, self.boss, self.is_user = parent.role, parent.boss, parent.is_user or parent.is_ready
        self.is_ready = False  # to become the launch script, as soon as it is told to

    def becomes(self, words):  # it has executed these
        names = [word.rpartition("/")[2] for word in words[:2]] or [""]
        if names[0] == "gpuq" or names == ["bash", "gpuq"]:
            verb = words[names.index("gpuq") + 1:]
            self.role = " ".join(["gpuq", *verb[:2 if verb[0] == "supervise" else 1]])
            self.boss = self
        else:
            self.role = " ".join(names) if names[0] == "bash" else names[0]

    def __str__(self):
        return self.role if not self.boss or self.role == self.boss.role else f"{self.role} of {self.boss.role}"


class Tree:
    def __init__(self, at=None, scope=None, plain=lambda text: text):  # plain: makes the words of all runs alike
        self.at, self.scope, self.plain = at, scope, plain
        self.counting = True
        self.points = []
        self.times = collections.Counter()
        self.killed = []  # processes
        self.cut = False  # everything has to die
        self.processes = {}  # by pid, those that live
        self.codes = {}  # of those that we started: the exit code, None when it was killed
        libc.prctl(SUBREAPER, 1, 0, 0, 0)  # orphans become ours: we know when nobody is left

    def start(self, words, environment, folder, stdin=os.devnull, stdout=os.devnull, stderr=os.devnull, traced=True):
        held, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                os.read(held, 1)  # until we are followed
                for descriptor, path, flags in ((0, stdin, os.O_RDONLY), (1, stdout, os.O_WRONLY | CREATES),
                                                (2, stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND)):
                    os.dup2(os.open(path, flags, 0o600), descriptor)
                os.closerange(3, 256)
                os.chdir(folder)
                if traced:
                    install_filter()
                os.execve(words[0], words, environment)
            finally:
                os._exit(126)
        os.close(held)
        self.codes[pid] = ...
        if traced:
            self.processes[pid] = Process(pid)
            if ptrace(SEIZE, pid, 0, OPTIONS):
                raise OSError(ctypes.get_errno(), "ptrace is not allowed here")
        os.close(go)
        return pid

    def wait(self, *pids):
        """Until these have ended; their codes."""
        self.until(lambda: all(self.codes[pid] is not ... for pid in pids))
        return [self.codes[pid] for pid in pids]

    def until(self, condition):
        while not condition():
            self.step()

    def quiet(self):
        """Until nothing is left of what was started, nor of what that left behind."""
        try:
            while True:
                self.step()
        except ChildProcessError:
            return

    def end(self):
        """Kill all that is left, also what we do not follow."""
        self.cut = True
        try:
            while True:
                for pid in descendants(os.getpid()):
                    kill(pid)
                self.step()
        except ChildProcessError:
            return

    def step(self):
        """The next thing that happens to one of them. Fails when there is none."""
        pid, status = os.waitpid(-1, WAIT_ALL)
        if not os.WIFSTOPPED(status):
            if pid in self.codes:
                self.codes[pid] = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            self.processes.pop(pid, None)
            return
        process, event, number = self.processes.get(pid) or self.meet(pid), status >> 16, os.WSTOPSIG(status)
        if self.cut:
            kill(pid)
        elif event == STOP and number != signal.SIGTRAP:
            ptrace(LISTEN, pid)
        elif event == 0:
            ptrace(CONT, pid, 0, number)
        else:
            if event in (FORK, VFORK, CLONE):
                message = ctypes.c_ulong()
                ptrace(EVENT_MESSAGE, pid, 0, ctypes.addressof(message))
                self.meet(message.value)
            elif event == EXEC:
                process.becomes(command_line(pid))
            elif event == SECCOMP and not self.killed:
                self.point(process)
            ptrace(CONT, pid)  # in vain, if we have killed it

    def meet(self, pid):
        """A child, when it stops for the first time or its parent tells of it, whichever comes first."""
        if pid not in self.processes:
            child = Process(pid, self.processes.get(parent_of(pid)))
            if not os.path.exists(f"/proc/{pid}"):
                return child  # it was killed already
            self.processes[pid] = child
        return self.processes[pid]

    def point(self, process):
        deed = describe(process.pid)
        if not deed:
            return
        process.is_user = process.is_user or process.is_ready
        process.is_ready = process.role == "bash begin" and " pipe:" in deed  # it says so
        if not self.counting:
            return
        name = self.plain(f"{process}: {deed}")
        self.times[name] += 1
        scopes = ["all"]
        if not process.is_user:
            scopes.append("one")
        if process.boss and process.boss is not process and process.boss.pid in self.processes:
            scopes.append("boss")
        self.points.append(Point(name, self.times[name], tuple(scopes)))
        if (name, self.times[name]) == self.at and self.scope in scopes:
            self.cut = self.scope == "all"
            self.killed = {"one": [process], "boss": [process.boss], "all": list(self.processes.values())}[self.scope]
            for one in self.killed:
                kill(one.pid)
