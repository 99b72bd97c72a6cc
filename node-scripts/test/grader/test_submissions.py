import io

from grading import PERFECT, GraderCase, grade_code, writes


class Submissions(GraderCase):
    def assert_invalid(self, program, reason, exists=True):
        graded = self.grade(program)
        self.assertEqual(graded.status, 0, graded.stderr)
        self.assertTrue(graded.document["success"])
        self.assertIs(graded.document["valid_solution"], False)
        self.assertIsNone(graded.document["test_fitness"])
        self.assertIsNone(graded.report["score"])
        self.assertIs(graded.report["valid_submission"], False)
        self.assertIs(graded.report["submission_exists"], exists)
        self.assertEqual(graded.report["gold_threshold"], 0.95)
        self.assertIn(reason, graded.document["error_output"][-1])
        self.assertIn(reason, graded.stderr)
        self.assertNotIn("Traceback", graded.stderr)

    def assert_malformed(self, submission, reason):
        """The same, as far as a table's content goes, without a process for each."""
        content = submission if isinstance(submission, bytes) else submission.encode()
        with self.assertRaises(grade_code.Malformed) as fault:
            grade_code.load_competition(self.toy).score(io.BytesIO(content))
        self.assertIn(reason, str(fault.exception))

    def test_a_perfect_one_earns_gold(self):
        graded = self.grade(writes(PERFECT))
        self.assertEqual((graded.document["test_fitness"], graded.report["score"], graded.report["gold_medal"]), (1.0, 1.0, True))

    def test_the_score_is_rounded_to_five_places(self):
        rows = [(f"r{i}", i % 2) for i in range(6)]
        answers = self.toy / "prepared" / "private" / "answers.csv"
        answers.write_text("id,target\n" + "".join(f"{key},{answer}\n" for key, answer in rows))
        graded = self.grade(writes("id,target\n" + "".join(f"{key},{i}\n" for i, (key, _) in enumerate(rows))))
        self.assertEqual(graded.document["test_fitness"], 0.66667)

    def test_a_byte_order_mark_crlf_swapped_columns_quotes_and_blank_lines_are_fine(self):
        graded = self.grade(writes(b'\xef\xbb\xbftarget,id\r\n"0.9",a\r\n0.1,"b"\r\n\r\n 8e-1,c\r\n.2,d'))
        self.assertEqual(graded.document["test_fitness"], 1.0, graded.document["error_output"])

    def test_a_missing_one_is_invalid(self):
        self.assert_invalid("print('no thanks')", "was not written", exists=False)

    def test_an_empty_one_is_invalid(self):
        self.assert_malformed("", "must have the columns id,target")

    def test_wrong_columns_are_invalid(self):
        self.assert_invalid(writes(PERFECT.replace("target", "prediction")), "must have the columns id,target, not 'id,prediction'")

    def test_a_column_too_many_is_invalid(self):
        self.assert_malformed(",id,target\n0,a,1\n1,b,0\n2,c,1\n3,d,0\n", "must have the columns id,target")

    def test_a_column_given_twice_is_invalid(self):
        self.assert_malformed("id,target,target\na,1,1\n", "must have the columns id,target")

    def test_a_short_row_is_invalid(self):
        self.assert_malformed(PERFECT.replace("c,0.8", "c"), "line 4 has 1 fields, not 2")

    def test_missing_ids_are_invalid(self):
        self.assert_malformed("id,target\na,1\nc,0\n", "lacks 2 of 4 ids, the first is 'b'")

    def test_a_duplicate_id_is_invalid(self):
        self.assert_malformed(PERFECT + "a,0.9\n", "line 6: the id 'a' is there twice")

    def test_an_unknown_id_is_invalid(self):
        self.assert_malformed(PERFECT + "e,0.9\n", "line 6: the id 'e' is not in the test set")

    def test_nan_is_invalid(self):
        self.assert_invalid(writes(PERFECT.replace("0.8", "NaN")), "line 4: 'NaN' is not a finite number")

    def test_infinity_is_invalid(self):
        self.assert_malformed(PERFECT.replace("0.8", "1e999"), "is not a finite number")

    def test_a_word_is_invalid(self):
        self.assert_malformed(PERFECT.replace("0.8", "pizza"), "'pizza' is not a finite number")

    def test_an_open_quote_is_invalid(self):
        self.assert_invalid(writes(PERFECT + '"a'), "submission.csv line 6: ")

    def test_a_huge_field_is_invalid_and_quoted_in_short(self):
        self.assert_malformed("id,target\na," + "x" * 100_000, "'" + "x" * 80 + "...'")

    def test_a_field_beyond_all_measure_is_invalid(self):
        self.assert_invalid("open('submission.csv', 'w').write('id,target\\na,' + '1' * 10_000_000)", "field larger than field limit")

    def test_nul_bytes_are_invalid(self):
        self.assert_invalid(writes(PERFECT.encode().replace(b"0.8", b"\0")), "holds a NUL byte")

    def test_what_is_not_utf_8_is_invalid(self):
        self.assert_invalid(writes(PERFECT.encode() + b"\xff\xfe"), "is not UTF-8")

    def test_utf_16_is_invalid(self):
        self.assert_malformed(PERFECT.encode("utf-16"), "is not UTF-8")

    def test_lone_surrogates_are_invalid(self):
        self.assert_malformed(PERFECT.encode() + "\ud800,1\n".encode("utf-8", "surrogatepass"), "is not UTF-8")

    def test_a_symbolic_link_is_not_followed(self):
        self.assert_invalid("open('mine.csv', 'w').write(%r); import os; os.symlink('mine.csv', 'submission.csv')" % PERFECT,
                            "is a symbolic link", exists=False)

    def test_a_fifo_does_not_hang_the_grader(self):
        self.assert_invalid("import os; os.mkfifo('submission.csv')", "is not a regular file", exists=False)

    def test_a_directory_is_invalid(self):
        self.assert_invalid("import os; os.mkdir('submission.csv')", "is not a regular file", exists=False)

    def test_a_socket_is_invalid(self):
        self.assert_invalid("import socket; socket.socket(socket.AF_UNIX).bind('submission.csv')", "cannot be read", exists=False)

    def test_a_device_is_invalid(self):
        program = "import os, stat; os.mknod('submission.csv', 0o600 | stat.S_IFCHR, os.makedev(1, 5))"
        if "PermissionError" in self.grade(program).stderr:
            self.skipTest("nobody may make devices here")
        graded = self.grade(program)
        self.assertTrue(any(words in graded.stderr for words in ("is not a regular file", "cannot be read")), graded.stderr)
        self.assertIsNone(graded.report["score"])

    def test_one_beyond_the_size_limit_is_not_read(self):
        self.assert_invalid("open('submission.csv', 'w').truncate(256 * 1024 * 1024 + 1)", "is larger than 268435456 bytes")

    def test_a_scratch_directory_swapped_for_a_link_does_not_mislead(self):
        (self.home / "elsewhere").mkdir()
        (self.home / "elsewhere" / "submission.csv").write_text(PERFECT)
        self.assert_invalid(f"""
            import os
            here = os.getcwd()
            os.rename(here, here + '-moved')
            os.symlink({str(self.home / 'elsewhere')!r}, here)""", "was not written", exists=False)
        self.assertTrue((self.home / "elsewhere" / "submission.csv").exists())
