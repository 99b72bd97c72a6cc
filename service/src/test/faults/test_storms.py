"""Storms over every sort of world. How many, says GPUQ_TEST_SIZE; GPUQ_TEST_SEED draws the same ones again."""

import os
import random
import shutil
import tempfile
import unittest
from pathlib import Path

import history
from storm import storm, summary

SEED = int(os.environ.get("GPUQ_TEST_SEED") or random.SystemRandom().randrange(1 << 31))
FULL = os.environ.get("GPUQ_TEST_SIZE") == "full"
SECONDS = 20


class StormsTest(unittest.TestCase):
    def rage(self, servers, database, seeds):
        """The folder of one that broke a rule stays."""
        for seed in range(SEED, SEED + (seeds if FULL else 1)):
            with self.subTest(GPUQ_TEST_SEED=seed):
                folder = Path(tempfile.mkdtemp(prefix="gpuq-storm-"))
                print(f"\n  GPUQ_TEST_SEED={seed}, {servers} server(s), {database}", flush=True)
                found, records = storm(folder, seed, SECONDS, servers, database)
                print(f"  {summary(records)}", flush=True)
                if found:
                    print(*found, *history.evidence(records, found), f"the folder {folder} stays", sep="\n")
                self.assertEqual(found, [])
                shutil.rmtree(folder)

    def test_a_server_with_its_own_database(self):
        self.rage(1, "embedded", 34)

    @unittest.skipUnless("MYSQL_HOME" in os.environ, "needs MySQL")
    def test_a_server_on_mysql(self):
        self.rage(1, "mysql", 33)

    @unittest.skipUnless("MYSQL_HOME" in os.environ, "needs MySQL")
    def test_two_servers_on_mysql(self):
        self.rage(2, "mysql", 33)


if __name__ == "__main__":
    unittest.main()
