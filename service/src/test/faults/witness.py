"""What really ran: each job says so itself, outside of any spool, and holds locks of the kernel for as long as it lives.

  python3 witness.py mark FOLDER TOKEN SECONDS   what a solution begins with to do so
  python3 witness.py runs FILE                   what they have said, as records of a history
"""

import fcntl
import json
import sys
from pathlib import Path

# Solutions and operators' scripts alike. Where a job runs says which it is: …/node-1/…/jobs/JOB.ATTEMPT/work/…; on a host of its own, a node
# has the number of its host: h1.
MARK = r"""
import fcntl, os, random, time
WITNESS, TOKEN, SECONDS, GATE = {folder!r}, {token!r}, {seconds!r}, {gate!r}
parts = os.getcwd().split("/")
name = parts[parts.index("jobs") + 1]
job, attempt = name.split(".")
node = next((part[5:] for part in parts if part.startswith("node-")), os.uname().nodename[1:])
slots = os.environ.get("CUDA_VISIBLE_DEVICES", "")

def note(what, over="-"):
    line = f"{{what}} {{job}} {{attempt}} {{node}} {{time.time_ns() // 1000}} {{slots or '-'}} {{TOKEN}} {{os.getpid()}} {{over}}\n"
    file = os.open(WITNESS + "/runs", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)

held = []
for thing in ["attempt-" + name + "-" + node, "job-" + job, *("slot-" + node + "-" + slot for slot in slots.split(",") if slot)]:
    file = open(WITNESS + "/" + thing, "a+")
    held.append(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(name + "@" + node)
        file.flush()
    except BlockingIOError:
        file.seek(0)
        note("clash", thing + "=" + file.read())
note("begin")
time.sleep(SECONDS)
while GATE and not os.path.exists(WITNESS + "/" + GATE):
    time.sleep(0.02)
note("end")
"""

# A score of its own for every run, so that results which are mixed up are not the same by chance.
GRADED = r"""
with open("data/sampleSubmission.csv") as sample, open("submission.csv", "w") as submission:
    submission.write(sample.readline())
    submission.writelines(line.split(",")[0] + "," + str(random.random()) + "\n" for line in sample)
"""


def said(path):
    """What jobs wrote into that file, as records of a history."""
    for line in Path(path).read_text().splitlines():
        what, job, attempt, node, at, slots, token, _, over = line.split(" ", 8)
        yield {"kind": "run", "what": what, "job": job, "attempt": int(attempt), "node": int(node), "at": int(at), "token": token,
               "slots": [] if slots == "-" else [int(slot) for slot in slots.split(",")], "over": over}


class Witness:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.folder.chmod(0o777)  # whoever runs jobs
        (self.folder / "runs").touch()
        (self.folder / "runs").chmod(0o666)

    def solution(self, token, seconds=0.0, gate=None, ending=GRADED):
        return MARK.format(folder=str(self.folder), token=token, seconds=seconds, gate=gate) + ending

    def script(self, token, seconds=0.0, gate=None):
        return f"exec python3 - <<'END'\n{self.solution(token, seconds, gate, '')}END\n"

    def open_gate(self, gate):
        (self.folder / gate).touch()

    def runs(self):
        return said(self.folder / "runs")

    def begun(self, token):
        return [run for run in self.runs() if run["what"] == "begin" and run["token"] == token]

    def alive(self, job):
        """The attempts of a job that run now, as the kernel says, with their nodes."""
        found = []
        for path in self.folder.glob(f"attempt-{job}.*"):
            name, _, node = path.name.rpartition("-")
            with open(path, "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append([int(name.rpartition(".")[2]), int(node)])
        return found


def main():
    if sys.argv[1] == "mark":
        _, _, folder, token, seconds = sys.argv
        print(MARK.format(folder=folder, token=token, seconds=float(seconds), gate=None))
    else:
        print(*map(json.dumps, said(sys.argv[2])), sep="\n")


if __name__ == "__main__":
    main()
