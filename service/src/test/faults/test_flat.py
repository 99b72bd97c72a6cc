"""The rule of the soak sees a leak through noise, and no leak in noise."""

import random
import unittest

from flat import flat, quarters, rise

HOUR = [10.0 * i for i in range(360)]


class FlatTest(unittest.TestCase):
    def series(self, value):
        rng = random.Random(20261126)
        return [(at, value(at, rng)) for at in HOUR]

    def test_noise_is_flat(self):
        for amplitude in (0, 1, 30, 1000):
            self.assertTrue(flat(self.series(lambda at, rng: 200 + rng.gauss(0, amplitude)), allowed=2), amplitude)

    def test_a_leak_is_caught_through_noise_of_its_own_size(self):
        self.assertFalse(flat(self.series(lambda at, rng: 200 + at / 360 + rng.gauss(0, 5)), allowed=5))

    def test_a_descriptor_every_five_minutes_is_caught(self):
        self.assertFalse(flat(self.series(lambda at, rng: 60 + at // 300 + rng.choice((0, 0, 1, 4))), allowed=5))

    def test_a_leak_below_what_is_allowed_is_none(self):
        self.assertTrue(flat(self.series(lambda at, rng: 200 + at / 3600), allowed=2))

    def test_warming_up_is_no_leak(self):
        self.assertTrue(flat(self.series(lambda at, rng: min(200, at) + rng.gauss(0, 1)), allowed=2))

    def test_a_saw_is_flat_and_a_saw_that_climbs_is_not(self):
        self.assertTrue(flat(self.series(lambda at, rng: 50 + at % 400 / 10), allowed=20))
        self.assertFalse(flat(self.series(lambda at, rng: 50 + at % 400 / 10 + at / 40), allowed=20))

    def test_what_is_wild_for_a_moment_is_flat(self):
        self.assertTrue(flat(self.series(lambda at, rng: 9000 if 2500 < at < 3000 else 200), allowed=2))

    def test_the_rise_is_that_of_the_last_two_thirds(self):
        self.assertAlmostEqual(rise(self.series(lambda at, rng: at))[0], 2400, delta=20)

    def test_quarters_are_medians(self):
        self.assertEqual(quarters([(at, at // 900) for at in HOUR]), [0, 1, 2, 3])

    def test_nothing_to_judge_is_flat(self):
        for points in ([], [(0, 1)], [(0, 1), (0, 5)]):
            self.assertTrue(flat(points, allowed=0))


if __name__ == "__main__":
    unittest.main()
