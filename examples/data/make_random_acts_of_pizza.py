#!/usr/bin/env python3
"""Writes the synthetic competition `random-acts-of-pizza`.

Usage: make_random_acts_of_pizza.py [DIRECTORY]      (default: the directory of this script)

No line of it comes from Reddit or Kaggle: only the names of files and columns do. The same bytes come out of every
Python from 3.9 on: the one source of chance is `Random(seed).random()`, whose sequence is promised to stay, and whatever
is written is a whole number, a word or a sum and product of such. The real competition's zips of train.json and
test.json are left out: deflated bytes differ between zlib versions, and stored ones would double the size.
"""

import csv
import json
import math
import sys
from pathlib import Path
from random import Random

NAME = "random-acts-of-pizza"
SEED = 20111206
TRAIN, TEST, TEAMS = 600, 250, 462

# Sentences, each with what it adds to the log-odds of a pizza.
OPENERS = [
    (0.0, "Hi everyone, first time asking here."), (0.0, "Hello RAOP, long time lurker."), (0.0, "Not sure how this works, so here goes."),
    (0.2, "Good evening, kind strangers."), (0.1, "I never thought I would be writing this."), (-0.3, "So yeah, title says it all."),
]
SITUATIONS = [
    (0.8, "I was laid off from the warehouse last month and rent took everything that was left."),
    (0.9, "My daughter has been asking for pizza all week and my paycheck does not come until Friday."),
    (0.7, "My husband is in the hospital and we have been living on rice and crackers."),
    (0.6, "Our car broke down, the repair ate the grocery money, and the kids are hungry."),
    (0.5, "I start a new job on Monday, but until then my bank account is empty."),
    (0.4, "Finals are here, the meal plan ran out and there is only ramen in the dorm."),
    (0.1, "My roommate moved out and the bills are due."), (-0.2, "It is raining and nobody wants to cook."),
    (-0.6, "A few friends are over for the game and we ran out of beer money."),
    (-0.8, "I am kind of drunk and craving something greasy."),
    (-0.7, "It is my cake day and free food would be awesome."), (-0.5, "I just got home from a party and everything is closed."),
]
ASIDES = [
    (0.0, "We live near a Domino's."), (0.0, "Any topping is fine, except olives."), (0.0, "There is a Papa John's around the corner."),
    (0.1, "I have tried the food bank, but it is closed this week."), (0.3, "I can send a photo of the empty fridge as proof."),
    (-0.2, "Extra cheese and wings if possible, lol."), (0.0, "I am in Ohio."), (0.0, "I am in the UK, if that matters."),
    (-0.3, "Whatever, worth a shot."), (0.1, "It has been a rough couple of months."),
]
CLOSERS = [
    (0.6, "I will pay it forward as soon as I am back on my feet."), (0.4, "Thank you so much for reading, it means a lot to us."),
    (0.3, "God bless and thanks in advance."), (0.0, "Thanks."), (-0.3, "Hook me up!"), (-0.1, "Anyone?"), (0.1, "Please and thank you."),
]
TITLES = [
    (0.3, "family of four", "hungry until payday"), (0.2, "single parent", "could use a little help tonight"), (0.1, "student", "broke and out of food"),
    (0.0, "just me", "would love a pizza"), (-0.3, "bored", "craving pizza, why not"), (-0.2, "birthday boy", "wants a slice"),
]
PLACES = ["Ohio", "Texas", "Oregon", "Ontario", "Leeds, UK", "Florida", "Denver", "Boston", "Michigan", "Sydney"]
SUBREDDITS = ["AskReddit", "funny", "pics", "gaming", "WTF", "trees", "IAmA", "aww", "Frugal", "cooking", "personalfinance", "movies", "Music", "science"]
SYLLABLES = ["ba", "co", "di", "fu", "ga", "hi", "jo", "ka", "le", "mi", "no", "pu", "ra", "so", "tu", "ve", "wi", "xo", "ya", "zu"]
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"

TEST_FIELDS = [
    "giver_username_if_known", "request_id", "request_text_edit_aware", "request_title", "requester_account_age_in_days_at_request",
    "requester_days_since_first_post_on_raop_at_request", "requester_number_of_comments_at_request",
    "requester_number_of_comments_in_raop_at_request", "requester_number_of_posts_at_request", "requester_number_of_posts_on_raop_at_request",
    "requester_number_of_subreddits_at_request", "requester_subreddits_at_request", "requester_upvotes_minus_downvotes_at_request",
    "requester_upvotes_plus_downvotes_at_request", "requester_username", "unix_timestamp_of_request", "unix_timestamp_of_request_utc",
]

DESCRIPTION = """\
# Random Acts of Pizza (synthetic)

**All data here are synthetic.** They were made by `make_random_acts_of_pizza.py` and have the file names and columns of
the Kaggle competition of this name, none of its content. A score says that the machinery works, nothing about the real
competition.

Predict whether a request for pizza is met, from its text and from what is known of the requester.

- `train.json`: 600 requests with `requester_received_pizza`, and fields as they stood when the data were retrieved
- `test.json`: 250 requests, with the fields known at the time of the request only
- `sampleSubmission.csv`: the form of a submission

Write `submission.csv` with the columns `request_id,requester_received_pizza`, one row for each request of `test.json`;
the second column is a number, the higher the likelier. The metric is the area under the ROC curve.

`giver_username_if_known`, which gives the answer away in the real data, is always "N/A" here. The zips are left out.
"""


class Chance:
    """All chance from one promised sequence."""

    def __init__(self, seed):
        self.unit = Random(seed).random

    def below(self, n):
        return int(self.unit() * n)

    def one_of(self, things):
        return things[self.below(len(things))]

    def some_of(self, things, n):
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(n)]

    def skewed(self, top):
        """A whole number below `top`, small ones far more often."""
        u = self.unit()
        return int(u * u * u * top)


def request(chance, taken):
    """One request with every field of the training data, its answer drawn last."""
    title_odds, who, what = chance.one_of(TITLES)
    parts = [chance.one_of(OPENERS), *chance.some_of(SITUATIONS, 1 + chance.below(2)), *chance.some_of(ASIDES, 1 + chance.below(2)), chance.one_of(CLOSERS)]
    text = " ".join(sentence for _, sentence in parts)
    age, posts, comments, raop_posts, raop_comments = (chance.skewed(n) for n in (1500, 200, 2000, 3, 12))
    karma = chance.skewed(9000) - 40
    subreddits = sorted(chance.some_of(SUBREDDITS, chance.below(8)))
    later = 30 + chance.below(500)
    utc = 1307000000 + chance.below(70000000)

    odds = title_odds + sum(weight for weight, _ in parts)
    odds += 0.0006 * age + 0.00012 * karma + 0.9 * (raop_posts > 0) + 0.1 * raop_comments
    received = chance.unit() < 1 / (1 + math.exp(2.9 - 1.3 * odds))

    def fresh(make):
        while True:
            name = make()
            if name not in taken:
                taken.add(name)
                return name

    edited = chance.below(10) == 0
    return {
        "giver_username_if_known": "N/A",
        "number_of_downvotes_of_request_at_retrieval": chance.skewed(12),
        "number_of_upvotes_of_request_at_retrieval": 1 + chance.skewed(30) + 2 * received,
        "post_was_edited": edited,
        "request_id": fresh(lambda: "t3_" + "".join(chance.one_of(ALPHABET) for _ in range(5))),
        "request_number_of_comments_at_retrieval": chance.skewed(20) + received,
        "request_text": text + (" EDIT: Somebody came through, thank you!" if edited and received else " EDIT: typo." if edited else ""),
        "request_text_edit_aware": text,
        "request_title": f"[Request] {chance.one_of(PLACES)}, {who}, {what}",
        "requester_account_age_in_days_at_request": age + chance.below(100) / 100,
        "requester_account_age_in_days_at_retrieval": age + later,
        "requester_days_since_first_post_on_raop_at_request": chance.below(age + 1) if raop_posts else 0,
        "requester_days_since_first_post_on_raop_at_retrieval": later,
        "requester_number_of_comments_at_request": comments,
        "requester_number_of_comments_at_retrieval": comments + chance.skewed(500),
        "requester_number_of_comments_in_raop_at_request": raop_comments,
        "requester_number_of_comments_in_raop_at_retrieval": raop_comments + chance.skewed(9) + received,
        "requester_number_of_posts_at_request": posts,
        "requester_number_of_posts_at_retrieval": posts + chance.skewed(50),
        "requester_number_of_posts_on_raop_at_request": raop_posts,
        "requester_number_of_posts_on_raop_at_retrieval": raop_posts + 1 + received,
        "requester_number_of_subreddits_at_request": len(subreddits),
        "requester_received_pizza": received,
        "requester_subreddits_at_request": subreddits,
        "requester_upvotes_minus_downvotes_at_request": karma,
        "requester_upvotes_minus_downvotes_at_retrieval": karma + chance.skewed(900),
        "requester_upvotes_plus_downvotes_at_request": abs(karma) + chance.skewed(9000),
        "requester_upvotes_plus_downvotes_at_retrieval": abs(karma) + 9000 + chance.skewed(2000),
        "requester_user_flair": ("shroom" if chance.below(3) else "PIF") if received else None,
        "requester_username": fresh(lambda: "".join(chance.one_of(SYLLABLES) for _ in range(4)) + str(chance.below(100))),
        "unix_timestamp_of_request": utc + 3600,
        "unix_timestamp_of_request_utc": utc,
    }


def leaderboard():
    """Scores that fall in straight lines from one known place to the next."""
    places = [(1, 99908), (10, 97908), (50, 76482), (100, 69210), (231, 59960), (232, 59959), (TEAMS, 31415)]
    for (place, score), (next_place, next_score) in zip(places, places[1:]):
        for i in range(place, next_place):
            yield score - (score - next_score) * (i - place) // (next_place - place)
    yield places[-1][1]


def write_json(path, value, **layout):
    path.write_bytes((json.dumps(value, **layout) + "\n").encode())


def write_rows(path, requests):
    path.write_bytes(("[\n" + ",\n".join(json.dumps(r) for r in requests) + "\n]\n").encode())


def write_csv(path, header, rows):
    with path.open("w", encoding="ascii", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / NAME
    public, private = root / "prepared" / "public", root / "prepared" / "private"
    for folder in (public, private):
        folder.mkdir(parents=True, exist_ok=True)
    chance, taken = Chance(SEED), set()
    requests = [request(chance, taken) for _ in range(TRAIN + TEST)]
    test = requests[TRAIN:]
    columns = ["request_id", "requester_received_pizza"]

    write_rows(public / "train.json", requests[:TRAIN])
    write_rows(public / "test.json", [{field: r[field] for field in TEST_FIELDS} for r in test])
    write_csv(public / "sampleSubmission.csv", columns, [[r["request_id"], 0] for r in test])
    (public / "description.md").write_bytes(DESCRIPTION.encode())
    write_csv(private / "test.csv", columns, [[r["request_id"], int(r["requester_received_pizza"])] for r in test])
    write_csv(root / "leaderboard.csv", ["rank", "team", "score"],
              [[i, f"synthetic-{i:03}", f"0.{score:05}"] for i, score in enumerate(leaderboard(), 1)])
    write_json(root / "competition.json", {
        "id": NAME, "metric": "auc-roc", "answers": "test.csv",
        "id_column": "request_id", "target_column": "requester_received_pizza",
    }, indent=2)


if __name__ == "__main__":
    main()
