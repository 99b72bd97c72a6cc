"""Kills at every point of a scenario, and holds what is left then against the rules.

  python3 sweep.py SCENARIO --gpuq PROGRAM --at FOLDER --seed SEED [--sample N | --point NAME TIME SCOPE ATTEMPT]

Without kill the scenario is run a few times, to see its points. Then for each of them, and each scope that makes sense
there (killer.py says what these are), it is run once more:

  act     the scenario, until it has come to its end or is killed
  look    at once: by nobody, `gpuq queue`, `gpuq recover` or `gpuq serve`
  again   what somebody does who lost an answer
  rest    until nothing runs any more
  look    by `gpuq recover`, or by `gpuq queue` and then by `gpuq recover`
  rest    and everything must be sound (sound.py)

Who looks is drawn from the seed. A point that comes up only now is swept, too; one that does not come again is tried a few
times: what runs side by side does not meet every time. --sample N makes about N kills, evenly spread, from a beginning that
the seed draws; --point makes one. What is not sound is printed, and the first such spool stays in FOLDER/failed.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import sys
import time
import traceback

import killer
import scenarios
import sound
from world import Cut, World

REFERENCES = 4  # runs without kill
ATTEMPTS = 4  # more, at a point that did not come again
PATIENCE = 60  # seconds for one run
LOOKS = ("nobody", "queue", "recover", "serve")


class Stuck(Exception):
    pass


def stuck(*_):
    raise Stuck("\n".join(f"{pid} {' '.join(killer.command_line(pid))}" for pid in killer.descendants(os.getpid())))


class Sweep:
    """What one worker has: a world, and the scenario in it."""

    def __init__(self, name, gpuq, folder, seed):
        self.scenario, self.seed, self.failed = scenarios.SCENARIOS[name](), seed, folder / "failed"
        self.world = World(gpuq, folder / f"worker-{os.getpid()}", {"slots": 1, "grace": 0, **self.scenario.settings})
        self.world.prepare(self.scenario.prepare, {scenarios.JOB: "JOB", scenarios.NEXT: "NEXT"})
        signal.signal(signal.SIGALRM, stuck)

    def run(self, point, scope, attempt):
        """The points that were seen, whether something was killed, and what is wrong then."""
        draw = random.Random(f"{self.seed} {point} {scope} {attempt}")
        early, late = draw.choice(LOOKS), draw.choice(("recover", "queue"))
        tree = killer.Tree(point, scope, self.world.plain)
        signal.alarm(PATIENCE)
        try:
            wrong = self.live(tree, draw, early, late)
        except (Exception, Stuck):  # pylint: disable=broad-except
            wrong = [traceback.format_exc()]
        signal.alarm(0)
        if wrong:
            tree.end()
            wrong.insert(0, f"looked at by {early}, then by {late}; killed: {', '.join(map(str, tree.killed)) or 'nothing'}")
            if self.world.spool.exists() and not self.failed.exists():
                shutil.copytree(self.world.spool, self.failed)
        return tree.points, bool(tree.killed), wrong

    def live(self, tree, draw, early, late):
        world = self.world
        world.begin_anew(tree, draw)
        try:
            self.scenario.act(world)
        except Cut:
            pass
        world.nobody_dies_any_more()
        self.look(early)
        self.scenario.again(world)
        self.rest()
        world.grow_older()
        self.look(late)
        self.rest()
        wrong = sound.after_a_look_at_the_queue(world) if late == "queue" else []
        self.look("recover")
        self.rest()
        return wrong + sound.broken(world, self.scenario, tree)

    def look(self, how):
        if how != "nobody":
            answer = self.world.gpuq(how)
            assert answer.code == 0, answer
        self.world.look()

    def rest(self):
        self.world.tree.quiet()
        self.world.look()


class Plan:
    """Which runs are to be made: (point, scope, attempt); the point is a name and for which time, or None."""

    def __init__(self, seed, sample):
        self.seed, self.sample = seed, sample
        self.known = {}
        self.missed = []

    def learn(self, task, points, killed):
        """What is to be run because of what was seen in a run."""
        point, scope, attempt = task
        fresh = []
        for name, number, scopes in points:
            fresh += [((name, number), other, 0) for other in scopes if ((name, number), other) not in self.known]
            self.known.update({((name, number), other): True for other in scopes})
        if point and not killed:
            if self.sample or attempt == ATTEMPTS:
                self.missed.append(f"{scope} {point[0]} {point[1]}")
            else:
                fresh.append((point, scope, attempt + 1))
        return fresh

    def some(self, tasks):
        tasks = sorted(tasks)
        stride = -(-len(tasks) // self.sample) or 1
        return tasks[random.Random(self.seed).randrange(stride)::stride]


def begin(*arguments):
    global SWEEP  # pylint: disable=global-statement,global-variable-undefined
    SWEEP = Sweep(*arguments)


def run(task):
    return SWEEP.run(*task)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=scenarios.SCENARIOS)
    for name in ("gpuq", "at", "seed"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--point", nargs=4, metavar=("NAME", "TIME", "SCOPE", "ATTEMPT"))
    options = parser.parse_args()
    folder = pathlib.Path(options.at)
    folder.mkdir(parents=True)
    began, done, failures = time.monotonic(), 0, 0
    plan = Plan(options.seed, options.sample)
    tasks = [(None, None, attempt) for attempt in range(2 if plan.sample else REFERENCES)]
    if options.point:
        tasks = [((options.point[0], int(options.point[1])), options.point[2], int(options.point[3]))]
    workers = concurrent.futures.ProcessPoolExecutor(
        min(4, os.cpu_count()), multiprocessing.get_context("fork"), begin, (options.scenario, options.gpuq, folder, options.seed))
    with workers:
        while tasks:
            more = []
            for task, (points, killed, wrong) in zip(tasks, workers.map(run, tasks)):
                done += 1
                more += plan.learn(task, points, killed)
                if wrong:
                    failures += 1
                    print(f"--- {options.scenario} --seed {options.seed} --point {' '.join(map(repr, sum(task[:1], ()) + task[1:]))}"
                          if task[0] else f"--- {options.scenario} --seed {options.seed}, without kill", *wrong, sep="\n", flush=True)
            if plan.sample and not tasks[0][0]:
                tasks = plan.some(more)
            else:
                tasks = [] if plan.sample or options.point else more
    places = len({point for point, _ in plan.known})
    print(f"# {options.scenario}: {places} points, {len(plan.known)} kills; {done} runs, {len(plan.missed)} kills came to nothing, "
          f"{failures} failures, {time.monotonic() - began:.0f} s")
    for kill in plan.missed:
        print("came to nothing:", kill)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
