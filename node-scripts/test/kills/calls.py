"""The system calls by which a process changes something: a filter that stops it before each, and what it is about to do.

A seccomp filter lets a process that somebody follows (ptrace) run at full speed but for the calls in CALLS. An open stops
when it may make or empty a file. An end is among them: before it, a process has done all that it does, and nobody knows yet.
"""

import ctypes
import os
import platform
import struct

# Number on x86_64 and on aarch64, and what to tell of the arguments: a path, the descriptor of a directory and a path, a
# file's descriptor, a signal, - nothing.
CALLS = {
    "rename": (82, None, "pp"), "renameat": (264, 38, "dd"), "renameat2": (316, 276, "dd"),
    "link": (86, None, "pp"), "linkat": (265, 37, "dd"), "symlink": (88, None, "pp"), "symlinkat": (266, 36, "pd"),
    "unlink": (87, None, "p"), "unlinkat": (263, 35, "d"), "rmdir": (84, None, "p"),
    "mkdir": (83, None, "p"), "mkdirat": (258, 34, "d"), "mknod": (133, None, "p"), "mknodat": (259, 33, "d"),
    "open": (2, None, "p"), "openat": (257, 56, "d"), "creat": (85, None, "p"), "truncate": (76, 45, "p"),
    "write": (1, 64, "f"), "writev": (20, 66, "f"), "pwrite64": (18, 68, "f"), "sendfile": (40, 71, "f"),
    "copy_file_range": (326, 285, "--f"), "splice": (275, 76, "--f"), "ftruncate": (77, 46, "f"), "fallocate": (285, 47, "f"),
    "fsync": (74, 82, "f"), "fdatasync": (75, 83, "f"), "syncfs": (306, 267, "f"), "sync": (162, 81, ""),
    "execve": (59, 221, "p"), "execveat": (322, 281, "d"), "kill": (62, 129, "-s"), "exit_group": (231, 94, ""),
}
FLAGS = {"open": 1, "openat": 2}  # which argument they are
CREATES = os.O_CREAT | os.O_TRUNC
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of CALLS, and what the filter calls it
COLUMN, MACHINE = MACHINES[platform.machine()]
NAMES = {call[COLUMN]: name for name, call in CALLS.items() if call[COLUMN] is not None}

NO_NEW_PRIVILEGES, INSTALL_FILTER, FILTER = 38, 22, 2
ALLOW, TRACE = 0x7FFF0000, 0x7FF00000
SYSCALL_INFO = 0x420E
HERE = -100

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def install_filter():
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    plain = [number for number, name in NAMES.items() if name not in FLAGS]
    opens = [(number, FLAGS[name]) for number, name in NAMES.items() if name in FLAGS]
    allow = 3 + len(plain) + 3 * len(opens)  # the line that says so; the next one stops
    lines = [(load, 0, 0, 4), (equal, 0, allow - 2, MACHINE), (load, 0, 0, 0)]
    for number in plain:
        lines.append((equal, allow - len(lines), 0, number))
    for number, argument in opens:
        lines.append((equal, 0, 2, number))
        lines.append((load, 0, 0, 16 + 8 * argument))
        lines.append((any_bit, allow - len(lines), allow - len(lines) - 1, CREATES))
    lines += [(answer, 0, 0, ALLOW), (answer, 0, 0, TRACE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code))
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(INSTALL_FILTER, FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter can be installed")


def describe(pid):
    """The call before which it has stopped: its name and its arguments; nothing for one that cannot change anything."""
    info = ctypes.create_string_buffer(88)
    if libc.ptrace(SYSCALL_INFO, pid, 88, ctypes.addressof(info)) <= 0:
        return None  # it was killed meanwhile
    number, *arguments = struct.unpack_from("7Q", info, 24)
    call, things = NAMES[number], []
    for kind in CALLS[call][2]:
        word = arguments.pop(0)
        if kind == "p":
            things.append(path(pid, HERE, word))
        elif kind == "d":
            things.append(path(pid, ctypes.c_int(word & 0xFFFFFFFF).value, arguments.pop(0)))
        elif kind == "f":
            things.append(link(pid, f"fd/{word}"))
        elif kind == "s":
            things.append(str(word))
    return None if changes_nothing(call, things) else " ".join([call, " -> ".join(things)]).rstrip()


def changes_nothing(call, things):
    return bool(things) and (
        things[0].startswith(("/dev/", "/proc/"))
        or call == "kill" and things[0] == "0"
        or call == "execve" and not os.access(things[0], os.X_OK)  # it looks for the program along its PATH
        or call == "mkdir" and os.path.exists(things[0]))


def path(pid, folder, address):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        text = memory.read(4096 - address % 4096)  # not beyond the page: the next one may not be there
        if b"\0" not in text:
            text += memory.read(4096)
    name = os.fsdecode(text.partition(b"\0")[0])
    return os.path.normpath(os.path.join(link(pid, "cwd" if folder == HERE else f"fd/{folder}"), name))


def link(pid, name):
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return "?"
