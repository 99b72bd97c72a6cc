"""The golden solution: the same work everywhere, checked against what it must give, and then a submission whose score is known.

Who predicts the same for everybody has an area under the curve of one half, whatever the data. Work that comes out otherwise ends it with
an error, so a node that computes wrong fails, and one that is slow is late.
"""

import csv
import hashlib
import json
import os
import sys
import time

ROUNDS = 400_000  # of SHA-256, one after the other: a second or less of one core
DIGEST = "247e2e303730d55d636583bee8e84ffbcce282f4c5d971ee09de5e528f1a3e97"
SIZE, STEPS = 8192, 50  # of matrices on the GPU: a second or two of an H100 in float32


def check_cpu():
    value = b"gpuq"
    for _ in range(ROUNDS):
        value = hashlib.sha256(value).digest()
    if value.hex() != DIGEST:
        sys.exit(f"this CPU computes wrong: {value.hex()}")


def check_gpus():
    try:
        import torch
    except ImportError:
        return
    if not os.environ.get("CUDA_VISIBLE_DEVICES"):
        return
    if not torch.cuda.is_available():
        sys.exit("this job has a GPU, and torch does not find it")
    work = [begin(torch, torch.device("cuda", gpu)) for gpu in range(torch.cuda.device_count())]  # all of them at once
    for gpu, (numbers, moved) in enumerate(work):
        if not torch.equal(moved, numbers.roll(STEPS, 0)):
            sys.exit(f"GPU {gpu} of {os.environ['CUDA_VISIBLE_DEVICES']} computes wrong")


def begin(torch, gpu):
    """A permutation, many times over: exact in any precision, so every element can be checked."""
    order = torch.arange(SIZE, device=gpu).roll(1)
    step = torch.zeros(SIZE, SIZE, device=gpu)
    step[torch.arange(SIZE, device=gpu), order] = 1.0
    numbers = torch.arange(SIZE, dtype=torch.float32, device=gpu).repeat(SIZE, 1).T.contiguous()
    moved = numbers
    for _ in range(STEPS):
        moved = step @ moved
    return numbers, moved


began = time.monotonic()
check_cpu()
check_gpus()
print(f"computed right, in {time.monotonic() - began:.2f} s", flush=True)
with open("data/test.json", encoding="utf-8") as file:
    ids = [request["request_id"] for request in json.load(file)]
with open("submission.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["request_id", "requester_received_pizza"])
    writer.writerows([name, 0.5] for name in ids)
