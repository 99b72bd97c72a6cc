import ast
import random
import statistics
import unittest

from grading import GRADER, grade_code


def auc_by_counting_pairs(answers, predictions):
    wins = [2 * (p > q) + (p == q) for p, a in zip(predictions, answers) if a for q, b in zip(predictions, answers) if not b]
    return sum(wins) / (2 * len(wins))


def competition(scores):
    return grade_code.Competition("toy", None, ("id", "target"), None, {}, scores)


class Auc(unittest.TestCase):
    def test_equals_the_count_of_pairs_with_and_without_ties(self):
        chance = random.Random(7)
        for distinct in (1, 2, 5, 1000):
            for size in (2, 3, 10, 60):
                answers = [True, False] + [chance.random() < 0.3 for _ in range(size - 2)]
                predictions = [chance.randrange(distinct) / distinct - 0.5 for _ in range(size)]
                self.assertEqual(grade_code.auc_roc(answers, predictions), auc_by_counting_pairs(answers, predictions))

    def test_knows_perfect_reversed_and_constant(self):
        answers = [True, False, True, False]
        self.assertEqual(grade_code.auc_roc(answers, [4, 1, 3, 2]), 1.0)
        self.assertEqual(grade_code.auc_roc(answers, [1, 4, 2, 3]), 0.0)
        self.assertEqual(grade_code.auc_roc(answers, [0.0, -0.0, 0.0, 0.0]), 0.5)

    def test_refuses_answers_of_one_kind(self):
        with self.assertRaises(ValueError):
            grade_code.auc_roc([True, True], [0.1, 0.2])

    def test_takes_a_hundred_thousand_rows(self):
        size = 100_000
        self.assertEqual(grade_code.auc_roc([i >= size // 2 for i in range(size)], [float(i) for i in range(size)]), 1.0)


class Numbers(unittest.TestCase):
    def test_finite_decimal_numbers_are_read(self):
        for text, value in (("1", 1), (" -0.5 ", -0.5), ("+.5", 0.5), ("2.", 2), ("1e-3", 0.001), ("1E+2", 100)):
            self.assertEqual(grade_code.number(text), value)

    def test_everything_else_is_refused(self):
        for text in ("", " ", "nan", "inf", "-Infinity", "1e999", "1_000", "0x10", "1,5", "true", "\u0661", "1 2", "--1", "1.2.3"):
            with self.assertRaises(ValueError, msg=repr(text)):
                grade_code.number(text)


class Thresholds(unittest.TestCase):
    def test_follow_the_rows_of_the_table_for_every_size(self):
        for teams in range(1, 6000):
            if teams < 100:
                row = max(1, int(0.1 * teams)), max(1, int(0.2 * teams)), max(1, int(0.4 * teams))
            elif teams < 250:
                row = 10, int(0.2 * teams), int(0.4 * teams)
            elif teams < 1000:
                row = 10 + int(0.002 * teams), 50, 100
            else:
                row = 10 + int(0.002 * teams), int(0.05 * teams), int(0.1 * teams)
            self.assertEqual(grade_code.medal_positions(teams), row, f"{teams} teams")

    def test_lie_within_the_leaderboard_in_order(self):
        for teams in range(1, 6000):
            gold, silver, bronze = grade_code.medal_positions(teams)
            self.assertTrue(1 <= gold <= silver <= bronze <= teams, f"{teams} teams")

    def test_are_scores_at_positions_counted_from_one(self):
        scores = [1000.0 - i for i in range(300)]
        report = competition(scores).report(None, exists=False)
        self.assertEqual([report[f"{m}_threshold"] for m in ("gold", "silver", "bronze", "median")],
                         [scores[9], scores[49], scores[99], statistics.median(scores)])


class Medals(unittest.TestCase):
    HIGHER = [float(100 - i) for i in range(100)]  # gold 91, silver 81, bronze 61, median 50.5

    def medals(self, scores, score):
        report = competition(scores).report(score, exists=True)
        medals = {name for name in ("gold", "silver", "bronze") if report[f"{name}_medal"]}
        self.assertEqual(report["any_medal"], bool(medals))
        return medals, report["above_median"], report["is_lower_better"]

    def test_a_tie_with_the_threshold_counts_and_medals_exclude_each_other(self):
        for score, medals in ((92, {"gold"}), (91, {"gold"}), (90.99999, {"silver"}), (81, {"silver"}), (80, {"bronze"}), (61, {"bronze"}), (60, set())):
            self.assertEqual(self.medals(self.HIGHER, score), (medals, True, False), score)

    def test_above_the_median_is_strict(self):
        self.assertEqual(self.medals(self.HIGHER, 50.5), (set(), False, False))
        self.assertEqual(self.medals(self.HIGHER, 50.6), (set(), True, False))

    def test_lower_is_better_where_the_first_score_is_below_the_last(self):
        lower = self.HIGHER[::-1]  # gold 10, silver 20, bronze 40
        for score, medals, above in ((1, {"gold"}, True), (10, {"gold"}, True), (20, {"silver"}, True), (40, {"bronze"}, True),
                                     (50, set(), True), (50.5, set(), False), (99, set(), False)):
            self.assertEqual(self.medals(lower, score), (medals, above, True), score)

    def test_no_score_earns_nothing_and_still_shows_the_thresholds(self):
        report = competition(self.HIGHER).report(None, exists=True)
        self.assertEqual({k: v for k, v in report.items() if k.startswith(("any", "gold", "silver", "bronze", "above", "valid", "score", "median"))}, {
            "score": None, "gold_threshold": 91.0, "silver_threshold": 81.0, "bronze_threshold": 61.0, "median_threshold": 50.5, "any_medal": False,
            "gold_medal": False, "silver_medal": False, "bronze_medal": False, "above_median": False, "valid_submission": False})


class Source(unittest.TestCase):
    def test_needs_no_syntax_newer_than_python_3_9(self):
        ast.parse(GRADER.read_text(), feature_version=(3, 9))
