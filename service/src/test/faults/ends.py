"""How everything ended, as records of a history (history.py says what they mean): what a spool says, and what servers say.

  python3 ends.py spool FOLDER NODE       needs no other file: it may come to a host by its standard input
  python3 ends.py servers PORT…
"""

import hashlib
import http.client
import json
import sys
from datetime import datetime, timezone
from pathlib import Path


def moment(text):
    """Microseconds, of a moment as the API writes it."""
    if text is None:
        return None
    seconds = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return int(seconds.timestamp()) * 1_000_000 + seconds.microsecond


def facts(path):
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return dict(line.partition(" ")[::2] for line in lines if line)


def words(path):
    """None of a file that goes from here to there, or that a full disk left empty."""
    try:
        return path.read_text().split()
    except OSError:
        return []


def digest(path):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def sealed(spool, node):
    for place in ("jobs", "released"):
        for home in (spool / place).glob("*.*"):
            job, _, attempt = home.name.partition(".")
            record = {"kind": "sealed", "job": job, "attempt": int(attempt), "node": node, "claims": []}
            if home.is_file():  # a tombstone
                yield record | {"state": "ended", "outcome": next(iter(words(home)), None)}
            elif place == "released" or not (spool / "released" / home.name).exists():  # else a submit that was unpacked once more
                yield record | told(home)


def told(home):
    about, status, results = facts(home / "job"), facts(home / "status"), home / "work/results.jsonl"
    return {"origin": about.get("origin"), "token": about.get("project") or about.get("name"), "state": status.get("state"),
            "outcome": status.get("outcome"), "reason": status.get("reason"), "promised": status.get("results_sha256"),
            "document": digest(results),
            "claims": [int(claim[2]) for claim in map(words, home.glob("slot[0-9]*")) if len(claim) > 2],
            **{name: int(status[name]) for name in ("started_at", "ended_at") if name in status}}


def listed(ask):
    """Every job that a server lists. @param ask: gives the code and the document of a path; raises ValueError when a page is refused."""
    cursor, jobs = "", []
    while cursor is not None:
        code, page = ask(f"/api/jobs?limit=200{cursor}")
        if code != 200:
            raise ValueError(page)
        jobs += page["jobs"]
        cursor = f"&cursor={page['next_cursor']}" if page.get("next_cursor") else None
    return jobs


def ended(asks):
    for job in listed(asks[0]):
        _, status = asks[0](f"/api/status/{job['job_id']}")
        results = [ask(f"/api/results/{job['job_id']}")[1] for ask in asks]
        yield {"kind": "ended", "job": job["job_id"], "user": job["user_id"], "status": status["status"], "node": status["node_id"],
               "reason": status.get("reason"), "completed_at": moment(status["completed_at"]), "exit_code": status["exit_code"],
               "attempts": [{"attempt": past["attempt"], "node": past["node_id"], "reason": past["reason"], "ended_at": moment(past["ended_at"])}
                            for past in status.get("attempts") or []],
               "documents": [hashlib.sha256((document["stdout"] or "").encode()).hexdigest() for document in results]}


def asker(port):
    def ask(path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()
    return ask


def main():
    if sys.argv[1] == "spool":
        records = sealed(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        records = ended([asker(int(port)) for port in sys.argv[2:]])
    for record in records:
        print(json.dumps(record))


if __name__ == "__main__":
    main()
