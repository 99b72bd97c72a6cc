"""The measurements of ./bench. Prints medians in milliseconds, and ratios. Standard library only; loopback only.

Usage: measure.py submit PORT COMMIT_MS | waiting PORT NUMBER SERVER_PID
"""

import asyncio
import collections
import json
import os
import re
import signal
import statistics
import sys
import time

PATIENCE = 150  # seconds that waiters wait before the server is told to stop

CONFIG = """competition_id: random-acts-of-pizza
project_id: bench
user_id: sarang
expected_time: 1
token: sarang
"""


def say(word, what, text):
    print(f"{word:<10} {what:<21} {text}", flush=True)


def median_of(samples):
    ordered = sorted(samples)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)]


def read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


class Server:
    def __init__(self, pid):
        self.pid = pid

    def read(self, name):
        return read(f"/proc/{self.pid}/{name}")

    def status(self, key):
        return int(re.search(rf"{key}:\s+(\d+)", self.read("status"))[1])

    def lives(self):
        return "VmRSS" in self.read("status")

    def cpu(self):
        """Seconds of processor time; its children's are theirs."""
        ticks = self.read("stat").rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def submit_request(wait):
    """A multipart submit as curl sends it, ready for a socket."""
    parts = "".join(
        f'--bench\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n{text}\r\n"
        for name, text in (("code", "pass\n"), ("config_file", CONFIG))
    )
    body = f"{parts}--bench--\r\n".encode()
    head = (
        f"POST /api/submit?wait={wait} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary=bench\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    @classmethod
    async def open(cls, port):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def ask(self, request):
        self.writer.write(request)
        await self.writer.drain()
        return await self.answer()

    async def get(self, path):
        return await self.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    async def answer(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b"chunked" in head.lower():
            body = await self.chunks()
        else:
            body = await self.reader.readexactly(int(re.search(rb"(?i)content-length: *(\d+)", head)[1]))
        if not 200 <= int(head.split()[1]) < 300:
            raise SystemExit(f"refused: {head.decode()}{body.decode()}")
        return json.loads(body)

    async def chunks(self):
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body


async def until_ended(connection, job):
    while (await connection.get(f"/api/status/{job}"))["status"] in ("pending", "running"):
        await asyncio.sleep(0.005)


async def submits(port, commit):
    connection = await Connection.open(port)
    acks, dones = [], []
    for _ in range(230):
        began = time.perf_counter()
        job = (await connection.ask(submit_request("false")))["job_id"]
        acks.append(1000 * (time.perf_counter() - began))
        await until_ended(connection, job)
    for _ in range(115):
        began = time.perf_counter()
        one = await Connection.open(port)  # a waited answer closes its connection
        await one.ask(submit_request("true"))
        dones.append(1000 * (time.perf_counter() - began))
        one.writer.close()
    ack, ack95 = median_of(acks[30:])  # the first ones warm the server up
    done, done95 = median_of(dones[15:])
    say("submit", "one commit", f"{commit:.2f} ms")
    say("submit", "submit to ack", f"{ack:.2f} ms (95 %: {ack95:.2f}), {ack / commit:.2f} x one commit")
    say("submit", "submit to done", f"{done:.1f} ms (95 %: {done95:.1f})")


async def waiting(port, number, server):
    """So many submits that wait, all at once; those not done in time are answered when the server is told to stop."""
    began = time.perf_counter()
    answered = collections.Counter()
    connecting = asyncio.Semaphore(100)

    async def one():
        try:
            async with connecting:
                connection = await Connection.open(port)
                connection.writer.write(submit_request("true"))
                await connection.writer.drain()
            answered[(await connection.answer())["status"]] += 1
            connection.writer.close()
        except (OSError, asyncio.IncompleteReadError, SystemExit) as error:
            answered[f"not answered ({type(error).__name__} {error})"[:200]] += 1

    waiters = [asyncio.create_task(one()) for _ in range(number)]
    done, left = await asyncio.wait(waiters, timeout=PATIENCE)
    took = time.perf_counter() - began
    say("waiting", f"{number:,} at once", f"{len(done):,} graded in {took:.1f} s, {len(done) / took:.0f}/s")
    print_memory(server)
    if left:
        os.kill(server, signal.SIGTERM)
        await asyncio.wait(left, timeout=60)
    total = sum(n for status, n in answered.items() if not status.startswith("not answered"))
    say("waiting", "answered", f"{total:,} of {number:,}: " + ", ".join(f"{n:,} {s}" for s, n in answered.most_common()))


def print_memory(server):
    with open(f"/proc/{server}/status", encoding="ascii") as status:
        peak = re.search(r"VmHWM:\s+(\d+)", status.read())[1]
    say("waiting", "memory at most", f"{int(peak) // 1024} MB")


def main():
    match sys.argv[1:]:
        case ["submit", port, commit]:
            asyncio.run(submits(int(port), float(commit)))
        case ["waiting", port, number, server]:
            asyncio.run(waiting(int(port), int(number), int(server)))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
