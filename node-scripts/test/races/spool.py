"""What a spool and its jobs tell a history: statuses, ends, runs, and what is left. history.py says what the records mean."""

import fcntl
import os
import time

# A job says when it began and ended, and holds locks of the kernel meanwhile: they are free when nothing of it runs any more.
JOB = r"""
note() { printf '%s\n' "$1 $ID $ATTEMPT ${EPOCHREALTIME/./} $GPUQ_SLOTS_HELD ${2:--}" >>"$DIR/runs"; }
for thing in "attempt-$ID.$ATTEMPT" "job-$ID" slot-${GPUQ_SLOTS_HELD//,/ slot-}; do
    exec {held}>>"$DIR/$thing"
    flock -n "$held" || note clash "$thing"
done
note begin
"""


def now():
    return time.time_ns() // 1000


def facts(home, text):
    """Of a status or of a job."""
    if home.is_file():  # a tombstone
        outcome, _, ended_at = text.strip().partition(" ")
        return {"seq": "1", "state": "ended", "outcome": outcome or "withdrawn", **({"ended_at": ended_at} if ended_at else {})}
    return dict(line.partition(" ")[::2] for line in text.splitlines() if line)


class Spool:
    def __init__(self, path, folder):  # folder: where jobs write what they say of themselves
        self.path, self.folder = path, folder
        self.last = {}

    def entries(self, folder):
        return sorted(os.listdir(self.path / folder)) if (self.path / folder).exists() else []

    def alive(self, job, attempt):
        """Whether something of it runs, as the kernel says."""
        try:
            with open(self.folder / f"attempt-{job}.{attempt}", "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def statuses(self):
        for place in ("jobs", "released"):
            for home in (self.path / place / name for name in self.entries(place)):
                try:
                    text = (home if home.is_file() else home / "status").read_text()
                except OSError:
                    continue  # it went from here to there
                if place == "jobs" and (self.path / "released" / home.name).exists():
                    continue  # a copy of its submit, which is about to be dropped
                yield home, text

    def changes(self):
        """A `seen` for every status that is not as it was at the last look."""
        for home, text in self.statuses():
            if self.last.get(home.name) != text:
                self.last[home.name] = text
                job, _, attempt = home.name.partition(".")
                status = facts(home, text)
                yield {"kind": "seen", "job": job, "attempt": int(attempt), "at": now(), "seq": int(status.get("seq", 0)),
                       "state": status.get("state", "torn"), "text": text}

    def ends(self):
        for home, text in self.statuses():
            job, _, attempt = home.name.partition(".")
            status = facts(home, text)
            fields = {key: int(status[key]) for key in ("queued_at", "started_at", "ended_at", "exit_code") if key in status}
            gpus, key, claims = 0, 0, []
            if home.is_dir():
                about = facts(home, (home / "job").read_text())
                gpus = int(about["gpus"])
                key = min(int(about["submitted_at"]), fields.get("queued_at", 0)) - int(about["priority"]) * 600_000_000
                claims = sorted(int(slot.read_text().split()[2]) for slot in home.glob("slot[0-9]*"))
            yield {"kind": "final", "job": job, "attempt": int(attempt), "gpus": gpus, "key": key, "claims": claims,
                   "place": home.parent.name, "state": status.get("state", "torn"), "outcome": status.get("outcome"), **fields}

    def runs(self):
        for line in (self.folder / "runs").read_text().splitlines():
            what, job, attempt, at, slots, over = line.split(" ")
            yield {"kind": "run", "what": what, "job": job, "attempt": int(attempt), "at": int(at), "over": over,
                   "slots": [int(slot) for slot in slots.split(",")]}

    def left(self):
        for folder in ("slots", "queue", "incoming"):
            yield {"kind": "left", "folder": folder, "entries": self.entries(folder)}
        yield {"kind": "left", "folder": "blank", "entries": [home.parent.name for home in self.path.glob("blank/*/owner")]}
