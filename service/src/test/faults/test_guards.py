"""The checker is no ornament: a build without one of the guards is caught, and with it the same scenario breaks nothing."""

import os
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import history
from guards import GUARDS


class GuardsTest(unittest.TestCase):
    def check(self, name):
        guard, = (guard for guard in GUARDS if guard.name == name)
        with tempfile.TemporaryDirectory(prefix="gpuq-guard-") as folder:
            at = {place: Path(folder, place) for place in ("build", "with", "without")}
            for place in at.values():
                place.mkdir()
            with ThreadPoolExecutor() as both:
                kept = both.submit(lambda: guard.history(at["with"], {}))
                taken = both.submit(lambda: guard.history(at["without"], guard.without(at["build"])))
            self.assertEqual(history.broken(kept.result()), [], "with the guard")
            found = history.broken(taken.result())
            self.assertTrue(guard.rules & {sentence.partition(":")[0] for sentence in found}, f"without the guard: {found}")

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
