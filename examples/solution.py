"""Random Acts of Pizza: logistic regression on the words of a request and a few numbers. Plain Python, no packages."""

import csv
import json
import math
import re
import zlib
from random import Random

BUCKETS, EPOCHS, RATE, DECAY = 4096, 30, 0.05, 0.002
NUMBERS = [
    "requester_account_age_in_days_at_request",
    "requester_number_of_comments_at_request",
    "requester_number_of_posts_at_request",
    "requester_number_of_comments_in_raop_at_request",
    "requester_number_of_posts_on_raop_at_request",
    "requester_upvotes_minus_downvotes_at_request",
]


def features(request):
    """{feature: value}; words are hashed into buckets, numbers tamed by a logarithm."""
    text = f"{request['request_title']} {request['request_text_edit_aware']}".lower()
    words = set(re.findall(r"[a-z']+", text))
    found = {zlib.crc32(word.encode()) % BUCKETS: 1.0 for word in words}
    for i, name in enumerate(NUMBERS):
        value = request[name]
        found[BUCKETS + i] = math.copysign(math.log1p(abs(value)), value) / 4
    found[BUCKETS + len(NUMBERS)] = 1.0
    return found


def probability(weights, x):
    return 1 / (1 + math.exp(-sum(weights[i] * value for i, value in x.items())))


def train(examples):
    """Stochastic gradient descent, with the weights pulled towards nought."""
    weights = [0.0] * (BUCKETS + len(NUMBERS) + 1)
    shuffled = Random(1)
    for epoch in range(EPOCHS):
        shuffled.shuffle(examples)
        loss = 0.0
        for x, y in examples:
            p = probability(weights, x)
            loss -= math.log(p if y else 1 - p)
            for i, value in x.items():
                weights[i] -= RATE / (1 + epoch / 5) * ((p - y) * value + DECAY * weights[i])
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {loss / len(examples):.4f}")
    return weights


def load(name):
    with open(f"data/{name}", encoding="utf-8") as file:
        return json.load(file)


weights = train([(features(r), r["requester_received_pizza"]) for r in load("train.json")])
with open("submission.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["request_id", "requester_received_pizza"])
    for r in load("test.json"):
        writer.writerow([r["request_id"], f"{probability(weights, features(r)):.6f}"])
