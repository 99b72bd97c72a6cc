"""The checker is no ornament: a build without one of the guards is caught, and with it the same scenario breaks nothing."""

import os
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import history
from guards import GUARDS


TRIES = 3


class GuardsTest(unittest.TestCase):
    def check(self, name):
        guard, = (guard for guard in GUARDS if guard.name == name)
        with tempfile.TemporaryDirectory(prefix="gpuq-guard-") as folder:
            at = {place: Path(folder, place) for place in ("build", "with", *map(str, range(TRIES)))}
            for place in at.values():
                place.mkdir()
            with ThreadPoolExecutor() as both:
                kept = both.submit(lambda: guard.history(at["with"], {}))
                taken = both.submit(lambda: self.caught(guard, guard.without(at["build"]), [at[str(n)] for n in range(TRIES)]))
            self.assertEqual(history.broken(kept.result()), [], "with the guard")
            self.assertTrue(taken.result(), f"none of {guard.rules} was broken without the guard, {TRIES} times")

    @staticmethod
    def caught(guard, build, folders):
        """A server tidies up what it gave up on, after seconds: on a busy machine that may come before what the scenario had kept back."""
        return any(guard.rules & {sentence.partition(":")[0] for sentence in history.broken(guard.history(folder, build))} for folder in folders)

    def test_a_server_that_sends_before_it_commits_is_caught(self):
        self.check("committed_sent")

    def test_a_node_that_keeps_no_tombstone_is_caught(self):
        self.check("tombstone")

    def test_a_supervisor_that_does_not_look_for_its_nonce_is_caught(self):
        self.check("nonce")

    @unittest.skipUnless("MYSQL_HOME" in os.environ, "two servers need MySQL")
    def test_a_node_that_obeys_an_overtaken_server_is_caught(self):
        self.check("epoch")


if __name__ == "__main__":
    unittest.main()
