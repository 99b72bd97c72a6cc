import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta

from grading import GRADER, PERFECT, Graded, GraderCase, grade_code, strict_json, writes

KEYS = {"success", "exit_code", "timed_out", "exec_time", "valid_solution", "validation_fitness", "test_fitness", "error_output", "stdout", "grading_report"}
REPORT_KEYS = {"competition_id", "score", "gold_threshold", "silver_threshold", "bronze_threshold", "median_threshold", "any_medal", "gold_medal",
               "silver_medal", "bronze_medal", "above_median", "submission_exists", "valid_submission", "is_lower_better", "created_at", "submission_path"}
ONE_SECOND, TWO_SECONDS = ("--timeout", "0.0003"), ("--timeout", "0.0005")

# Leaves the solution's session and parent, keeps stdout, deaf to TERM where asked; returns when the pid is on disk.
DAEMON = """
import os, signal, sys, time
def daemon(pid_file, deaf=False):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if deaf:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with open(pid_file + '.part', 'w') as file:
                file.write(str(os.getpid()))
            os.rename(pid_file + '.part', pid_file)
            while True:
                time.sleep(60)
        os._exit(0)
    while not os.path.exists(pid_file):
        time.sleep(0.01)
"""


class Document(GraderCase):
    def test_has_exactly_the_keys_of_the_public_graders(self):
        for program in (writes(PERFECT), "print('nothing')", "raise SystemExit(3)"):
            graded = self.grade(program)
            self.assertEqual(set(graded.document), KEYS)
            self.assertEqual(set(graded.report), REPORT_KEYS)
            self.assertIsNone(graded.document["validation_fitness"])

    def test_tells_of_a_good_run_and_keeps_silent_on_stderr(self):
        graded = self.grade("print('hello'); import sys; print('careful', file=sys.stderr)\n" + writes(PERFECT))
        self.assertEqual((graded.status, graded.stderr), (0, ""))
        seconds = graded.document.pop("exec_time")
        created = datetime.fromisoformat(graded.report["created_at"])
        self.assertEqual((created.utcoffset(), seconds), (timedelta(0), round(seconds, 2)))
        self.assertEqual((graded.report["competition_id"], graded.report["submission_path"]), ("toy", "submission.csv"))
        self.assertEqual({k: v for k, v in graded.document.items() if k != "grading_report"}, {
            "success": True, "exit_code": 0, "timed_out": False, "valid_solution": True, "validation_fitness": None, "test_fitness": 1.0,
            "error_output": ["careful"], "stdout": ["hello"]})

    def test_is_one_json_object_indented_by_two_with_a_last_newline(self):
        self.grade(writes(PERFECT))
        text = self.results.read_text()
        self.assertTrue(text.startswith('{\n  "success": true,\n  "exit_code": 0,') and text.endswith("\n}\n"))

    def test_replaces_output_that_is_not_utf_8(self):
        graded = self.grade(r"import os; os.write(1, b'caf\xe9 \xed\xa0\x80 \xf0\x9f\x8d\x95\0')")
        self.assertRegex(graded.document["stdout"][0], "^caf\ufffd \ufffd+ \U0001f355\0$")
        self.results.read_text().encode("ascii")

    def test_is_never_seen_half_written(self):
        self.results.write_text('{"old": true}')
        grader = self.start("print('x\\n' * 30000)\n" + writes(PERFECT))
        seen, done = set(), threading.Event()

        def read_all_the_time():
            while not done.is_set():
                try:
                    seen.add(tuple(strict_json(self.results.read_text()))[0])
                except ValueError:
                    seen.add("half a document")
        reader = threading.Thread(target=read_all_the_time)
        reader.start()
        self.ended(grader)
        done.set()
        reader.join()
        self.assertLessEqual(seen, {"old", "success"})
        self.assertIn("old", seen)
        self.assertEqual([p.name for p in self.home.iterdir() if p.name.startswith(".")], [], "no temporary file is left")


class Solution(GraderCase):
    def test_is_taken_whole_also_with_a_fenced_string(self):
        graded = self.grade('TEXT = """\n```python\nraise SystemExit(9)\n```\n"""\n' + writes(PERFECT))
        self.assertEqual(graded.document["test_fitness"], 1.0)

    def test_sees_a_clean_environment_and_its_own_copy_of_the_public_data(self):
        command = self.command("""
            import json, os
            print(json.dumps(dict(os.environ)))
            print(os.getcwd())
            print(os.path.realpath('data'))
            print(sorted(os.listdir('.')), sorted(os.listdir('data')))
            print(repr(os.read(0, 1)))""")
        environment = self.environment(CUDA_VISIBLE_DEVICES="3", SECRET_TOKEN="hush")
        subprocess.run(command, env=environment, cwd=self.work, check=True, stderr=subprocess.DEVNULL)
        seen, here, data, listing, stdin = strict_json(self.results.read_text())["stdout"]
        seen = strict_json(seen)
        self.assertEqual((seen["CUDA_VISIBLE_DEVICES"], seen["HOME"], seen["TMPDIR"], data), ("3", here, here + "/tmp", here + "/data"))
        self.assertNotIn("hush", seen.values())
        self.assertNotIn(str(self.toy.parent), "".join(seen.values()))
        self.assertEqual((listing, stdin), ("['data', 'solution.py', 'tmp'] ['train.csv']", "b''"))

    def test_cannot_change_the_nodes_data_through_its_own(self):
        before = (self.toy / "prepared" / "public" / "train.csv").read_text()
        graded = self.grade("import os; open('data/train.csv', 'w').write('gone'); os.remove('data/train.csv')\n" + writes(PERFECT))
        self.assertTrue(graded.document["valid_solution"])
        self.assertEqual((self.toy / "prepared" / "public" / "train.csv").read_text(), before)

    def test_leaves_no_scratch_directory_however_deep_or_closed(self):
        graded = self.grade("""
            import os
            open('data/closed', 'w'); os.chmod('data/closed', 0); os.mkdir('shut'); open('shut/in', 'w'); os.chmod('shut', 0)
            for _ in range(1200):
                os.mkdir('d'); os.chdir('d')""")
        self.assertTrue(graded.document["success"], graded.stderr)
        self.assertEqual(os.listdir(self.work), [])

    def test_that_crashes_is_not_graded_and_its_traceback_is_told(self):
        graded = self.grade(writes(PERFECT) + "\nraise ValueError('the oven is cold')")
        document = graded.document
        self.assertEqual((graded.status, document["success"], document["exit_code"], document["valid_solution"]), (0, False, 1, False))
        self.assertEqual((graded.report["score"], graded.report["submission_exists"], graded.report["valid_submission"]), (None, True, False))
        self.assertEqual(document["error_output"][-2:], ["ValueError: the oven is cold", "grade_code: the solution exited with status 1"])
        self.assertTrue(graded.stderr.endswith("ValueError: the oven is cold\ngrade_code: the solution exited with status 1\n"), graded.stderr)

    def test_ended_by_a_signal_has_its_negative_number_as_exit_code(self):
        graded = self.grade("import os; os.kill(os.getpid(), 9)")
        self.assertEqual((graded.document["exit_code"], graded.document["success"]), (-9, False))
        self.assertIn("ended by signal 9", graded.stderr)

    def test_that_is_no_python_fails_with_its_own_error(self):
        graded = self.grade(b"\xff not python")
        self.assertEqual((graded.status, graded.document["success"], graded.document["exit_code"]), (0, False, 1))

    def test_that_prints_without_end_is_bounded_and_ended(self):
        graded = self.grade("""
            import os
            os.write(1, b'the head\\n')
            while True:
                os.write(1, b'x' * 999 + b'\\n'); os.write(2, bytes(1000))""", *ONE_SECOND)
        self.assertTrue(graded.document["timed_out"])
        self.assertEqual(graded.document["stdout"][0], "the head")
        self.assertEqual(sum("bytes left out" in line for line in graded.document["stdout"]), 1)
        self.assertLess(sum(map(len, graded.document["stdout"])), 65 * 1024)
        self.assertLess(self.results.stat().st_size, 1024 * 1024)

    def test_output_up_to_the_limit_is_kept_whole_and_beyond_it_head_and_tail(self):
        graded = self.grade("import sys; print('a' * 32767 + 'b' * 32768); print('a' * 32768 + '-' * 5 + 'b' * 32767, file=sys.stderr)")
        self.assertEqual(graded.document["stdout"], ["a" * 32767 + "b" * 32768])
        self.assertEqual(graded.document["error_output"][:3], ["a" * 32768, "[... 5 bytes left out ...]", "b" * 32767])


class Ending(GraderCase):
    def daemon(self, then, deaf=False):
        self.pid_file = self.home / "daemon.pid"
        return f"{DAEMON}\n{writes(PERFECT)}\nprint('started', flush=True)\ndaemon({str(self.pid_file)!r}, {deaf})\n{then}"

    def test_a_time_out_ends_a_double_forked_session_deaf_to_term_and_grades_nothing(self):
        graded = self.grade(self.daemon("time.sleep(60)", deaf=True), *TWO_SECONDS)
        self.assert_gone(self.pid_file)
        document = graded.document
        self.assertEqual((graded.status, document["timed_out"], document["success"], document["exit_code"]), (0, True, False, -15))
        self.assertEqual((document["valid_solution"], graded.report["score"], graded.report["submission_exists"]), (False, None, True))
        self.assertTrue(1.8 <= document["exec_time"] < 10, document["exec_time"])
        self.assertEqual(document["stdout"], ["started"])
        self.assertIn("time limit of 0.0005 hours", graded.stderr)

    def test_a_clean_exit_after_term_is_still_a_time_out(self):
        graded = self.grade("import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); time.sleep(60)", *ONE_SECOND)
        self.assertEqual((graded.document["timed_out"], graded.document["exit_code"], graded.document["success"]), (True, 0, False))

    def test_leftovers_that_hold_the_pipe_are_ended_and_do_not_hang_the_grader(self):
        graded = self.grade(self.daemon("print('done')"))
        self.assert_gone(self.pid_file)
        self.assertEqual((graded.document["test_fitness"], graded.document["stdout"]), (1.0, ["started", "done"]))
        self.assertLess(graded.document["exec_time"], 30)

    def test_a_leftover_cannot_change_the_submission_while_it_is_graded(self):
        rewrite = "open('submission.csv', 'w').write('id,target\\n')"
        graded = self.grade(f"import os\n{writes(PERFECT)}\nif os.fork() == 0:\n    os.setsid()\n    while os.getppid() > 0: pass\n    {rewrite}")
        self.assertEqual(graded.document["test_fitness"], 1.0)

    def test_term_to_the_grader_ends_the_solution_and_leaves_the_document(self):
        grader = self.start(self.daemon("time.sleep(60)"))
        self.until(self.pid_file.exists, "the solution's start")
        grader.send_signal(signal.SIGTERM)
        graded = self.ended(grader)
        self.assert_gone(self.pid_file)
        self.assertEqual((graded.status, graded.document["success"], graded.document["exit_code"], graded.document["timed_out"]), (143, False, -15, False))
        self.assertEqual((graded.document["stdout"], set(graded.document), graded.report["score"]), (["started"], KEYS, None))
        self.assertEqual(graded.document["error_output"], ["grade_code: the grader was ended by SIGTERM"])
        self.assertEqual(os.listdir(self.work), [])

    def test_a_child_that_forever_forks_and_exits_is_caught(self):
        graded = self.grade("import os, signal\nsignal.signal(15, signal.SIG_IGN)\n" + writes(PERFECT) + """
if os.fork() == 0:
    os.setsid()
    while True:
        if os.fork():
            os._exit(0)""")
        self.assertEqual((graded.status, graded.document["test_fitness"]), (0, 1.0))

    def test_children_that_a_launch_script_left_behind_are_spared(self):
        command = self.command(writes(PERFECT))
        script = 'sleep 60 >/dev/null 2>&1 & echo $!; exec "$@"'
        done = subprocess.run(["bash", "-c", script, "bash", *command], cwd=self.work, env=self.environment(), stdout=subprocess.PIPE, check=True, timeout=60)
        os.kill(int(done.stdout), signal.SIGKILL)  # which fails if it is gone


class Arguments(GraderCase):
    def refused(self, *arguments, **environment):
        done = subprocess.run([sys.executable, str(GRADER), *arguments], env=self.environment(**environment), cwd=self.work,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertFalse(self.results.exists())
        return done.stderr

    def refused_here(self, *arguments):
        """The same without a process for each."""
        with contextlib.redirect_stderr(io.StringIO()) as errors, self.assertRaises(SystemExit) as end:
            grade_code.arguments(arguments)
        self.assertEqual(end.exception.code, 2)
        return errors.getvalue()

    def test_a_missing_solution_is_a_bad_argument(self):
        self.assertIn("no such file", self.refused(str(self.home / "none.py"), "toy", str(self.results)))

    def test_an_unknown_competition_is_a_bad_argument(self):
        self.assertIn("unknown competition: no-such", self.refused(str(GRADER), "no-such", str(self.results)))

    def test_ill_formed_competition_ids_never_become_a_path(self):
        for evil in ("", ".", "..", "../data/toy", "toy/", "/etc", ".toy", "-toy\n", "toy\n", "t\u00f6y", "toy toy", "toy;id", "$(id)", "a" * 65):
            self.assertIn("not a competition id", self.refused_here("--", str(GRADER), evil, str(self.results)), repr(evil))
        self.assertIn("not a competition id", self.refused(str(GRADER), "../data/toy", str(self.results)))

    def test_results_must_be_a_file_in_a_directory_that_exists(self):
        loop = self.home / "loop"
        loop.symlink_to(loop)
        for place in ("/dev/null", str(self.home), str(self.home / "none" / "results"), str(loop / "results"), "/" + "x" * 5000 + "/y"):
            self.refused(str(GRADER), "toy", place)

    def test_time_outs_that_are_no_number_above_nought_are_refused(self):
        for hours in ("0", "-1", "nan", "inf", "soon", "1e999", ""):
            self.assertIn("--timeout", self.refused_here(str(GRADER), "toy", str(self.results), f"--timeout={hours}"))

    def test_no_arguments_show_the_usage(self):
        self.assertIn("usage: grade_code.py", self.refused())


class BrokenNode(GraderCase):
    def assert_broken(self, sentence, program=None, **popen) -> Graded:
        graded = self.grade(program or f"open({str(self.home / 'ran')!r}, 'w')", **popen)
        self.assertEqual(graded.status, 70, graded.stderr)
        self.assertEqual(set(graded.document), {"error", "success"})
        self.assertIs(graded.document["success"], False)
        self.assertIn(sentence, graded.document["error"])
        self.assertEqual(graded.stderr, f"grade_code: {graded.document['error']}\n")
        self.assertFalse((self.home / "ran").exists(), "a broken node is found out before the solution runs")

    def test_a_leaderboard_that_is_an_lfs_pointer(self):
        (self.toy / "leaderboard.csv").write_text("version https://git-lfs.example/spec/v1\noid sha256:00\nsize 9\n")
        self.assert_broken("leaderboard.csv of this competition: is a Git LFS pointer")

    def test_a_missing_leaderboard(self):
        (self.toy / "leaderboard.csv").unlink()
        self.assert_broken("leaderboard.csv of this competition: [Errno 2]")

    def test_an_empty_leaderboard(self):
        (self.toy / "leaderboard.csv").write_text("score\n")
        self.assert_broken("leaderboard.csv of this competition: is empty")

    def test_a_leaderboard_with_what_is_no_score(self):
        (self.toy / "leaderboard.csv").write_text("team,score\nus,NaN\n")
        self.assert_broken("is not a finite number")

    def test_missing_answers(self):
        self.describe(answers="none.csv")
        self.assert_broken("the answers of this competition: [Errno 2]")

    def test_answers_that_the_metric_cannot_use(self):
        for text in ("id,target\na,1\nb,1\n", "id,target\na,1\nb,maybe\n", "id,target\na,1\na,0\n", "id,label\na,1\n", "id,target\n"):
            (self.toy / "prepared" / "private" / "answers.csv").write_text(text)
            self.assert_broken("the answers of this competition")

    def test_a_description_that_cannot_be_used(self):
        self.describe(metric="taste")
        self.assert_broken("competition.json of this competition lacks or does not know 'taste'")
        self.describe(id="other")
        self.assert_broken("describes 'other', not toy")
        for text in ("{", "[]", "{}", '{"id": "toy", "metric": []}'):
            (self.toy / "competition.json").write_text(text)
            self.assert_broken("competition.json of this competition")

    def test_missing_public_data(self):
        (self.toy / "prepared" / "public" / "train.csv").unlink()
        (self.toy / "prepared" / "public").rmdir()
        self.assert_broken("prepared/public of this competition is missing")

    def test_no_data_directory(self):
        self.toy.parent.rename(self.home / "moved")
        self.assert_broken("MLE_BENCH_DATA_DIR does not name a directory")

    def test_a_disk_too_full_for_the_document_still_gets_the_error(self):
        def almost_full():
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        self.assert_broken("cannot write the results", "print('x\\n' * 5000)", preexec_fn=almost_full)
        self.assertEqual([p.name for p in self.home.iterdir() if p.name.startswith(".")], [])
