"""Processes as /proc has them, found by what is in their environment; and signals to them."""

import ctypes
import os
import signal
import time

LIBC = ctypes.CDLL(None)
SPLICE_F_NONBLOCK = 2


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def words(pid):
    return read(pid, "cmdline").decode(errors="replace").split("\0")[:-1]


def parent(pid):
    fields = read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def living(pid):
    return read(pid, "stat").rpartition(b")")[2].split()[:1] not in ([], [b"Z"])


def of(entry):
    """Those with this NAME=VALUE in their environment, and what descends from them."""
    everybody = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    wanted = entry.encode()
    found = {pid for pid in everybody if wanted in read(pid, "environ").split(b"\0")}
    parents = {pid: parent(pid) for pid in everybody}
    grown = True
    while grown:
        more = {pid for pid, above in parents.items() if above in found} - found
        grown = bool(more)
        found |= more
    return found


def send(pids, which):
    for pid in pids:
        try:
            os.kill(pid, which)
        except ProcessLookupError:
            pass


def kill(find):
    """Until there are none: what was just being born when the others died, too."""
    while pids := [pid for pid in find() if living(pid)]:
        send(pids, signal.SIGKILL)
        time.sleep(0.01)


def waiting(pid):
    """What waits in the pipe that is its standard input, without taking it away: nothing any more of one that has ended."""
    try:
        pipe = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    out, into = os.pipe()
    try:
        copied = LIBC.tee(pipe, into, 65536, SPLICE_F_NONBLOCK)
        return os.read(out, copied) if copied > 0 else b""
    finally:
        for file in (pipe, out, into):
            os.close(file)
