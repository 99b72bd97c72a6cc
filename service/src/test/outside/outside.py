"""What the tests from outside share: gpuq as a user meets it, over HTTP. Standard library only.

They run against a quick start on port 8001 that .ci/against has started; GPUQ_DATA is its data directory.
"""

import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[4]
EXAMPLES = ROOT / "examples"
URL = "http://localhost:8001"

PASS = "import shutil\nshutil.copy('data/sampleSubmission.csv', 'submission.csv')\n"
CRASH = "raise SystemExit('the solution gave up')\n"


def sleeper(seconds):
    return f"import time\ntime.sleep({seconds})\n{PASS}"


def config(**changes):
    """The example's configuration with some lines changed; None leaves a line out."""
    values = {
        "competition_id": "random-acts-of-pizza",
        "project_id": "my_project",
        "user_id": "sarang",
        "expected_time": 5,
        "token": "sarang",
    } | changes
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items() if value is not None)


class Answer:
    """An HTTP answer: status, headers, and its JSON document."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body.decode(errors='replace')[:2000]}"


def request(method, path, body=None, headers=None, url=URL):
    asked = urllib.request.Request(url + path, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=120) as response:
            return Answer(response)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error)


def form(**files):
    """A multipart form as curl sends it: body and headers."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n{text}\r\n"
        for name, text in files.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    return body.encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def submit(code, wait=False, url=URL, headers=None, **changes):
    body, kind = form(code=code, config_file=config(**changes))
    return request("POST", f"/api/submit?wait={str(wait).lower()}", body, kind | (headers or {}), url)


def status(job, url=URL):
    return request("GET", f"/api/status/{job}", url=url).json


def cancel(job, token="sarang"):
    return request("POST", f"/api/cancel/{job}", b"", {"Authorization": f"Bearer {token}"})


def until(condition, what, seconds=60):
    """Wait for a condition and return what it gave; say what it waited for when it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s")


def reaches(job, *statuses, url=URL):
    """Wait until a job has one of these statuses; return its status document."""

    def there():
        now = status(job, url)
        return now if now["status"] in statuses else None

    return until(there, f"{' or '.join(statuses)} of job {job}")


class QuickStart:
    """A quick start of one's own, on a port and a data directory of its own."""

    def __init__(self, data, port, *arguments):
        self.url = f"http://localhost:{port}"
        self.output = pathlib.Path(f"{data}.output")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [ROOT / "quickstart", "--data", data, "--port", str(port), *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        until(lambda: "\nserving" in self.printed or self.process.poll() is not None, "the quick start")
        assert self.process.poll() is None, self.printed
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def printed(self):
        return self.output.read_text()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


def shell(script, directory, **environment):
    """Run bash text as somebody would who pastes it; stdout, or an error that shows everything."""
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout
