#!/usr/bin/env python3
"""Runs a solution to a competition and grades what it wrote.

Usage: grade_code.py SOLUTION COMPETITION RESULTS [--timeout HOURS]

SOLUTION     a Python program, taken whole
COMPETITION  the id of a competition, [A-Za-z0-9][A-Za-z0-9._-]{0,63}
RESULTS      where the results document goes: appears complete, by rename, or not at all
--timeout    hours, may be a fraction (default 4.0)

Exit status: 0 whatever happened to the solution; 2 bad arguments (no such file, unknown competition);
70 the grader's own data or machine is at fault, RESULTS then says {"error": ..., "success": false};
128 + n ended by signal n (TERM, INT, HUP), after ending the solution and writing what is known.

The data lie in MLE-bench's layout, below $MLE_BENCH_DATA_DIR:

    <competition>/competition.json    {"id": "random-acts-of-pizza", "metric": "auc-roc", "answers": "test.csv",
                                       "id_column": "request_id", "target_column": "requester_received_pizza"}
    <competition>/leaderboard.csv     a column `score`, in rank order, best first
    <competition>/prepared/public/    what the solution sees
    <competition>/prepared/private/   the answers' file, a CSV with the two columns

The solution runs as `python3 solution.py` (this interpreter) in a scratch directory of its own, made below $TMPDIR or
else the current directory and removed afterwards. It reads ./data, a copy of the public data (a reflink where the file
system can): a link would let it change the node's data and lead it to the answers next door. It writes
./submission.csv. Its environment is what ENVIRONMENT names, with HOME and TMPDIR in the scratch directory. It leads a
session of its own; whatever it started is ended with it, before anything is graded.

Only a program that exited with 0 in time is graded, and only the bytes of a regular file submission.csv are looked at.
Needs Linux and Python >= 3.9 with ctypes, no packages. docs/grading.md has the rest.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import errno
import fcntl
import io
import json
import math
import os
import re
import shutil
import signal
import stat
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, NamedTuple

ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_HOME",
               "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "OMP_NUM_THREADS", "SSL_CERT_FILE")
SUBMISSION = "submission.csv"
SUBMISSION_LIMIT = 256 * 1024 * 1024  # bytes
OUTPUT_LIMIT = 64 * 1024  # bytes kept of each stream: half its head, half its tail
GRACE = 2.0  # seconds between TERM and KILL
KILL_PATIENCE = 60.0  # seconds for killed processes to go (freeing a GPU takes some)
FICLONE = 0x40049409  # ioctl: share the blocks of another file (linux/fs.h)
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


class Broken(Exception):
    """The grader's own data or machine is at fault, not the solution."""


class Malformed(Exception):
    """A table that cannot be used; says what is wrong and where, so that the file's name before it makes a sentence."""


class Terminated(Exception):
    """A signal asked the grader to end."""


# ---- metrics: add one here -----------------------------------------------------------------------------------------

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def number(text: str) -> float:
    """A finite decimal number: no `nan`, no `inf`, no `1_000`."""
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError("is not a finite number")
    return value


def label(text: str) -> bool:
    """A true or false answer, in the ways that pandas writes it."""
    values = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
    if text.strip().lower() not in values:
        raise ValueError("is neither 0 nor 1")
    return values[text.strip().lower()]


def auc_roc(answers: list[bool], predictions: list[float]) -> float:
    """Area under the ROC curve by average ranks (Mann-Whitney), in whole numbers up to the last division."""
    ranked = sorted(zip(predictions, answers))
    positives = sum(answers)
    negatives = len(answers) - positives
    if not positives or not negatives:
        raise ValueError("AUC needs both kinds of answers")
    twice_rank_sum = start = 0
    while start < len(ranked):
        end, tied = start, 0
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            tied += ranked[end][1]
            end += 1
        twice_rank_sum += tied * (start + 1 + end)  # twice the average of the ranks start+1 .. end
        start = end
    return (twice_rank_sum - positives * (positives + 1)) / (2 * positives * negatives)


class Metric(NamedTuple):
    answer: Callable[[str], Any]  # reads a field of the answers; ValueError says what is wrong
    prediction: Callable[[str], Any]  # reads a field of a submission
    score: Callable[[list, list], float]  # answers, predictions, in the same order


METRICS = {"auc-roc": Metric(label, number, auc_roc)}


# ---- the competition: its answers and its leaderboard --------------------------------------------------------------

def rows(stream: BinaryIO, columns: tuple[str, ...], others: bool) -> Iterator[tuple[int, list[str]]]:
    """The named columns of a strictly read CSV file, each row with its line number; are other columns allowed?"""
    with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(without_nul(text), strict=True)
        try:
            header = next(reader, [])
            if sorted(header) != sorted(columns) and not (others and all(header.count(c) == 1 for c in columns)):
                raise Malformed(f"must have the columns {','.join(columns)}, not {quoted(','.join(header))}")
            wanted = [header.index(column) for column in columns]
            for row in filter(None, reader):
                if len(row) != len(header):
                    raise Malformed(f"line {reader.line_num} has {len(row)} fields, not {len(header)}")
                yield reader.line_num, [row[i] for i in wanted]
        except UnicodeDecodeError:
            raise Malformed("is not UTF-8") from None
        except csv.Error as fault:
            raise Malformed(f"line {reader.line_num}: {fault}") from None


def without_nul(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:  # which the csv module refuses in some versions only
            raise Malformed("holds a NUL byte")
        yield line


def keyed(table: Iterator[tuple[int, list[str]]], read: Callable[[str], Any]) -> Iterator[tuple[int, str, Any]]:
    """Rows of id and value, the value read, no id twice."""
    seen = set()
    for line, (key, text) in table:
        if key in seen:
            raise Malformed(f"line {line}: the id {quoted(key)} is there twice")
        seen.add(key)
        try:
            yield line, key, read(text)
        except ValueError as fault:
            raise Malformed(f"line {line}: {quoted(text)} {fault}") from None


def quoted(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:80] + "...")


@dataclass(frozen=True)
class Competition:
    id: str
    public: Path
    columns: tuple[str, str]
    metric: Metric
    answers: dict[str, Any]
    leaderboard: list[float]

    def score(self, submission: BinaryIO) -> float:
        """Rounded to 5 places, as MLE-bench compares and reports it."""
        predictions = {}
        for line, key, value in keyed(rows(submission, self.columns, others=False), self.metric.prediction):
            if key not in self.answers:
                raise Malformed(f"line {line}: the id {quoted(key)} is not in the test set")
            predictions[key] = value
        missing = [key for key in self.answers if key not in predictions]
        if missing:
            raise Malformed(f"lacks {len(missing)} of {len(self.answers)} ids, the first is {quoted(missing[0])}")
        score = self.metric.score(list(self.answers.values()), [predictions[key] for key in self.answers])
        if not math.isfinite(score):
            raise Malformed(f"has no finite score: {score}")
        return round(score, 5)

    def report(self, score: float | None, exists: bool) -> dict[str, Any]:
        """MLE-bench's grading report."""
        scores = self.leaderboard
        gold, silver, bronze = (scores[position - 1] for position in medal_positions(len(scores)))
        median = statistics.median(scores)
        lower = scores[0] < scores[-1]

        def beats(threshold: float) -> bool:
            return score is not None and (score < threshold if lower else score > threshold)

        reached = [beats(threshold) or score == threshold for threshold in (gold, silver, bronze)]
        medal = reached.index(True) if True in reached else None
        return {
            "competition_id": self.id, "score": score,
            "gold_threshold": gold, "silver_threshold": silver, "bronze_threshold": bronze, "median_threshold": median,
            "any_medal": medal is not None, "gold_medal": medal == 0, "silver_medal": medal == 1, "bronze_medal": medal == 2,
            "above_median": beats(median), "submission_exists": exists, "valid_submission": score is not None,
            "is_lower_better": lower, "created_at": datetime.now(timezone.utc).isoformat(), "submission_path": SUBMISSION,
        }


def medal_positions(teams: int) -> tuple[int, int, int]:
    """The last places, counted from 1, that earn gold, silver and bronze: MLE-bench's rule."""
    if teams < 100:
        return max(1, teams // 10), max(1, teams // 5), max(1, teams * 2 // 5)
    if teams < 250:
        return 10, teams // 5, teams * 2 // 5
    if teams < 1000:
        return 10 + teams // 500, 50, 100
    return 10 + teams // 500, teams // 20, teams // 10


def load_competition(folder: Path) -> Competition:
    """Reads and checks all that grading will need: a broken node is found out before hours of training, not after."""
    if not os.path.isdir(folder.parent):
        raise Broken("MLE_BENCH_DATA_DIR does not name a directory")
    with own("competition.json", folder / "competition.json") as file:
        about = json.load(file)
        if about["id"] != folder.name:
            raise ValueError(f"describes {quoted(str(about['id']))}, not {folder.name}")
        metric, columns = METRICS[about["metric"]], (about["id_column"], about["target_column"])
        answers_path = folder / "prepared" / "private" / about["answers"]
    with own("leaderboard.csv", folder / "leaderboard.csv") as file:
        leaderboard = [number(score) for _, (score,) in rows(file, ("score",), others=True)]
        if not leaderboard:
            raise ValueError("is empty")
    with own("the answers", answers_path) as file:
        answers = {key: value for _, key, value in keyed(rows(file, columns, others=True), metric.answer)}
        metric.score(list(answers.values()), list(answers.values()))
    public = folder / "prepared" / "public"
    if not os.path.isdir(public):
        raise Broken("prepared/public of this competition is missing")
    return Competition(folder.name, public, columns, metric, answers, leaderboard)


@contextmanager
def own(name: str, path: Path) -> Iterator[BinaryIO]:
    """Opens a file of the node's own data; whatever is wrong with it, the solution is not to blame."""
    try:
        with path.open("rb") as file:
            if file.peek(64).startswith(b"version https://git-lfs"):
                raise ValueError("is a Git LFS pointer: fetch the real file with `git lfs pull`")
            yield file
    except KeyError as fault:
        raise Broken(f"{name} of this competition lacks or does not know {fault}") from None
    except (OSError, ValueError, TypeError, Malformed, ZeroDivisionError) as fault:
        raise Broken(f"{name} of this competition: {fault}") from None


# ---- the solution: its directory, its processes, its output --------------------------------------------------------

class Signals:
    """A signal only leaves a note; the places where ending is safe look for it."""

    received = 0

    @classmethod
    def heed(cls) -> None:
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(signum) != signal.SIG_IGN:  # as under nohup
                signal.signal(signum, lambda received, _: setattr(cls, "received", received))

    @classmethod
    def checkpoint(cls) -> None:
        if cls.received:
            raise Terminated(f"the grader was ended by {signal.Signals(cls.received).name}")


class Capture(threading.Thread):
    """Drains a pipe to its end, so that nobody blocks on it, and keeps its head and its tail."""

    def __init__(self, pipe: BinaryIO):
        super().__init__(daemon=True)
        self.pipe, self.head, self.tail, self.left_out = pipe, b"", b"", 0

    def run(self) -> None:
        half = OUTPUT_LIMIT // 2
        while True:
            chunk = os.read(self.pipe.fileno(), OUTPUT_LIMIT)
            if not chunk:
                return
            taken = half - len(self.head)
            self.head += chunk[:taken]
            tail = self.tail + chunk[taken:]
            self.left_out += max(0, len(tail) - half)
            self.tail = tail[-half:]

    def lines(self) -> list[str]:
        if self.is_alive():
            self.join(GRACE)  # a pipe that still does not end is held by somebody out of reach
        note = f"\n[... {self.left_out} bytes left out ...]\n".encode() if self.left_out else b""
        return (self.head + note + self.tail).decode("utf-8", "replace").splitlines()


def become_subreaper() -> None:
    """Orphans of the solution come to us, not to init: a double fork or a session of its own hides nothing."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise Broken(f"cannot become a subreaper: {os.strerror(ctypes.get_errno())}")


def descendants() -> set[int]:
    """Every process below this one, also those that have ended and that nobody has reaped."""
    children: dict[int, list[int]] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            status = Path("/proc", pid, "stat").read_bytes()
            parent = int(status[status.rindex(b")"):].split()[2])
            children.setdefault(parent, []).append(int(pid))
    found, todo = set(), [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found.update(below)
        todo.extend(below)
    return found


def reap(process: subprocess.Popen) -> None:
    """Collects all that have ended: the solution's main process, and the orphans that came to us."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid == process.pid:
                process.returncode = os.waitstatus_to_exitcode(status)


def end_processes(process: subprocess.Popen, spared: set[int]) -> None:
    """Ends whatever is left of the solution: TERM, a short grace, KILL."""
    for signum, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, KILL_PATIENCE)):
        told: set[int] = set()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            reap(process)
            left = descendants() - spared
            if not left:
                return
            for pid in left - told:
                with suppress(OSError):
                    os.kill(pid, signum)
            if signum == signal.SIGTERM:  # once each: a second might disturb what the first set going
                told |= left
            time.sleep(0.02)
    raise Broken(f"processes of the solution cannot be ended: {sorted(left)}")


def run(scratch: Path, seconds: float, document: dict[str, Any]) -> None:
    """Runs the solution and records how it went, also when the grader is told to end."""
    spared = descendants()  # a launch script may have left us children of its own
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    environment.update(HOME=str(scratch), TMPDIR=str(scratch / "tmp"), USER="solution", PYTHONUNBUFFERED="1")
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "solution.py"], cwd=scratch, env=environment, bufsize=0, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stdout, stderr = Capture(process.stdout), Capture(process.stderr)
    try:
        stdout.start()
        stderr.start()
        while process.returncode is None and not document["timed_out"]:
            Signals.checkpoint()
            time.sleep(0.01)
            reap(process)
            document["timed_out"] = process.returncode is None and time.monotonic() - began >= seconds
    finally:
        document["exec_time"] = round(time.monotonic() - began, 2)
        end_processes(process, spared)
        document.update(exit_code=process.returncode, stdout=stdout.lines(), error_output=stderr.lines())
        document["success"] = process.returncode == 0 and not document["timed_out"] and not Signals.received
    Signals.checkpoint()


def copy(source: str, target: str) -> None:
    with open(source, "rb") as old, open(target, "xb") as new:
        try:
            fcntl.ioctl(new, FICLONE, old.fileno())
        except OSError:
            for chunk in iter(lambda: old.read(1 << 20), b""):
                Signals.checkpoint()
                new.write(chunk)


@contextmanager
def scratch_directory() -> Iterator[Path]:
    scratch = Path(tempfile.mkdtemp(prefix="grade-", dir=os.environ.get("TMPDIR") or os.getcwd()))
    try:
        yield scratch
    finally:  # by rm, which knows no depth and follows no link
        for command in ("chmod", "-R", "u+rwx"), ("rm", "-rf"):
            with suppress(OSError):
                subprocess.run([*command, "--", str(scratch)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ---- grading -------------------------------------------------------------------------------------------------------

def submission_exists(directory: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(SUBMISSION, dir_fd=directory, follow_symlinks=False).st_mode)
    except OSError:
        return False


def open_submission(directory: int) -> BinaryIO:
    """Below a descriptor of the directory: its path may by now lead elsewhere."""
    try:
        descriptor = os.open(SUBMISSION, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError as fault:
        reasons = {errno.ENOENT: "was not written", errno.ELOOP: "is a symbolic link"}
        raise Malformed(reasons.get(fault.errno, f"cannot be read: {fault.strerror}")) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Malformed("is not a regular file")
    if status.st_size > SUBMISSION_LIMIT:
        raise Malformed(f"is larger than {SUBMISSION_LIMIT} bytes")
    return open(descriptor, "rb")


def why_not(document: dict[str, Any], hours: float) -> str:
    """Why the run earned no look at its submission, or nothing."""
    code = document["exit_code"]
    if document["timed_out"]:
        return f"the solution was ended at its time limit of {hours:g} hours"
    if code:
        return f"the solution was ended by signal {-code}" if code < 0 else f"the solution exited with status {code}"
    return ""


def grade(args: argparse.Namespace, document: dict[str, Any]) -> str:
    """Fills in the document; returns why there is no score, or nothing."""
    competition = load_competition(args.folder)
    document["grading_report"] = competition.report(None, exists=False)
    with scratch_directory() as scratch:
        directory = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        (scratch / "tmp").mkdir()
        (scratch / "solution.py").write_bytes(args.program)
        shutil.copytree(competition.public, scratch / "data", copy_function=copy)
        run(scratch, args.hours * 3600, document)
        exists, score, reason = submission_exists(directory), None, why_not(document, args.hours)
        if not reason:
            try:
                with open_submission(directory) as file:
                    score = competition.score(file)
            except Malformed as fault:
                reason = f"{SUBMISSION} {fault}"
        document["grading_report"] = competition.report(score, exists)
        document.update(valid_solution=score is not None, test_fitness=score)
        return reason


# ---- the document and the command line -----------------------------------------------------------------------------

def write(path: Path, document: dict[str, Any]) -> None:
    """Complete and on disk, or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):  # of a grader that was killed; in a container pids repeat
        temporary.unlink()
    try:
        with temporary.open("x", encoding="ascii") as file:
            file.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)


def say(*lines: str) -> None:
    with suppress(OSError, AttributeError):  # nobody listens
        sys.stderr.write("".join(line + "\n" for line in lines))
        sys.stderr.flush()


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="grade_code.py", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("solution", metavar="SOLUTION", type=Path)
    parser.add_argument("competition", metavar="COMPETITION")
    parser.add_argument("results", metavar="RESULTS", type=lambda path: Path(os.path.realpath(path)))
    parser.add_argument("--timeout", metavar="HOURS", dest="hours", type=number, default=4.0)
    args = parser.parse_args(argv)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", args.competition):
        parser.error(f"not a competition id: {quoted(args.competition)}")
    if args.hours <= 0:
        parser.error("--timeout must be more than 0 hours")
    if not os.path.isfile(args.solution):
        parser.error(f"no such file: {args.solution}")
    if not os.path.isdir(args.results.parent) or os.path.exists(args.results) and not os.path.isfile(args.results):
        parser.error(f"RESULTS must be a file in a directory that exists: {args.results}")
    args.folder = Path(os.environ.get("MLE_BENCH_DATA_DIR") or "/nonexistent", args.competition)
    if os.path.isdir(args.folder.parent) and not os.path.isdir(args.folder):
        parser.error(f"unknown competition: {args.competition}")
    try:
        args.program = args.solution.read_bytes()
    except OSError as fault:
        parser.error(f"cannot read {args.solution}: {fault.strerror}")
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    status, reason = 0, ""
    document: dict[str, Any] = {
        "success": False, "exit_code": None, "timed_out": False, "exec_time": 0.0, "valid_solution": False,
        "validation_fitness": None, "test_fitness": None, "grading_report": None, "error_output": [], "stdout": [],
    }
    Signals.heed()
    try:
        become_subreaper()
        reason = grade(args, document)
    except Terminated as end:
        status, reason = 128 + Signals.received, str(end)
    except Exception as fault:  # never a stack trace: the reader is the solution's author
        status, reason = 70, str(fault) if isinstance(fault, Broken) else f"the grader broke: {type(fault).__name__}: {fault}"
        reason = reason.encode("utf-8", "backslashreplace").decode()  # a path may hold what is not UTF-8
        document = {"error": reason, "success": False}
    if reason and "error" not in document:
        say(*document["error_output"][-20:])
        document["error_output"].append(f"grade_code: {reason}")
    try:
        write(args.results, document)
    except OSError as fault:
        status, reason = 70, f"cannot write the results: {fault.strerror}"
        with suppress(OSError):
            write(args.results, {"error": reason, "success": False})
    if reason:
        say(f"grade_code: {reason}")
    return status


if __name__ == "__main__":
    sys.exit(main())
