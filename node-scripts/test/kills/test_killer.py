"""The killer stops everybody before every call, and kills whom it should before the call has had any effect."""

import os
import pathlib
import shutil
import tempfile
import unittest

import killer

CALLS = "echo word >write; mv write rename; ln rename link; rm link; mkdir folder; rmdir folder; sync rename; ln -s rename symlink"


class TestKiller(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_script(self, text, at=None, scope=None, words=("bash", "script")):
        """What is left when a bash has run it; the tree and its code."""
        (self.folder / "script").write_text(text)
        tree = killer.Tree(at, scope, lambda name: name.replace(f"{self.folder}/", ""))
        code, = tree.wait(tree.start([shutil.which("bash"), *words[1:]], {"PATH": os.environ["PATH"]}, str(self.folder)))
        tree.quiet()
        return tree, code

    def names(self, tree):
        return [point.name for point in tree.points]

    def left(self):
        return sorted(set(os.listdir(self.folder)) - {"script"})

    def test_every_call_is_a_point(self):
        tree, code = self.run_script(CALLS)
        self.assertEqual(code, 0)
        deeds = {name.partition(": ")[2].partition(" ")[0] for name in self.names(tree)}
        for call in ("write", "openat", "execve", "exit_group", "mkdir", "rmdir", "fsync"):
            self.assertIn(call, deeds)
        for some in ({"rename", "renameat", "renameat2"}, {"link", "linkat"}, {"symlink", "symlinkat"}, {"unlink", "unlinkat"}):
            self.assertTrue(some & deeds, some)
        self.assertEqual(self.left(), ["rename", "symlink"])

    def test_who_left_his_parent_and_his_session_is_followed(self):
        tree, code = self.run_script("mkfifo pipe; (setsid bash -c 'read -r _ <pipe; : >late' &); echo go >pipe")
        self.assertEqual(code, 0)
        self.assertIn("bash -c: openat late", self.names(tree))

    def test_signals_and_codes_pass(self):
        _, code = self.run_script("trap 'exit 7' USR1; kill -USR1 $$; exit 1")
        self.assertEqual(code, 7)
        _, code = self.run_script("kill -KILL $$")
        self.assertIsNone(code)

    def test_a_call_at_which_one_is_killed_has_no_effect(self):
        reference, _ = self.run_script(CALLS)
        for point in reference.points:
            caller, _, deed = point.name.partition(": ")
            call, _, things = deed.partition(" ")
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            tree, code = self.run_script(CALLS, point[:2], "one")
            self.assertEqual([str(process) for process in tree.killed], [caller])
            if caller == "bash script" and call == "exit_group":
                self.assertIsNone(code)
            thing = things.rpartition(" -> ")[2]
            if call in ("mkdir", "symlink", "symlinkat", "link", "linkat", "rename", "renameat", "renameat2", "openat"):
                self.assertNotIn(thing, self.left(), point)
            elif call in ("unlink", "unlinkat") and caller == "rm" or call == "rmdir":
                self.assertIn(thing, self.left(), point)
            elif call == "write":
                self.assertEqual((self.folder / thing).read_text(), "", point)

    def test_the_others_go_on_when_one_is_killed(self):
        _, code = self.run_script("mkdir folder; echo $? >code", ("mkdir: mkdir folder", 1), "one")
        self.assertEqual(code, 0)
        self.assertEqual((self.folder / "code").read_text(), "137\n")

    def test_the_helper_goes_on_when_its_boss_is_killed(self):
        (self.folder / "gpuq").write_text("mkdir helped; mkdir never")
        tree, code = self.run_script("", ("mkdir of gpuq submit: mkdir helped", 1), "boss", ("bash", "gpuq", "submit"))
        self.assertIsNone(code)
        self.assertEqual([process.role for process in tree.killed], ["gpuq submit"])
        self.assertEqual(self.left(), ["gpuq", "helped"])

    def test_all_die_at_the_same_moment(self):
        script = "mkfifo pipe; (setsid bash -c 'read -r _ <pipe; : >late' &); exec 7>pipe; mkdir folder; echo go >&7; : >after"
        tree, code = self.run_script(script, ("mkdir: mkdir folder", 1), "all")
        self.assertIsNone(code)
        self.assertEqual(len(tree.killed), 3)
        self.assertEqual(self.left(), ["pipe"])

    def test_what_a_job_does_is_told_from_what_gpuq_does(self):
        (self.folder / "gpuq").write_text("bash begin | read -r ready; :")
        (self.folder / "begin").write_text("mkdir before; echo ready; source ./launch.sh")
        (self.folder / "launch.sh").write_text("mkdir folder; :")
        tree, _ = self.run_script("", words=("bash", "gpuq", "supervise", "job"))
        scopes = {point.name: point.scopes for point in tree.points}
        self.assertEqual(scopes["mkdir of gpuq supervise job: mkdir before"], ("all", "one", "boss"))
        self.assertEqual(scopes["mkdir of gpuq supervise job: mkdir folder"], ("all", "boss"))
        self.assertEqual(scopes["gpuq supervise job: exit_group"], ("all", "one"))

    def test_what_is_not_followed_is_ended_too(self):
        tree = killer.Tree()
        tree.start([shutil.which("bash"), "-c", "(setsid sleep 100 &); sleep 100"], {"PATH": os.environ["PATH"]}, "/", traced=False)
        tree.end()
        self.assertEqual(list(killer.descendants(os.getpid())), [])


if __name__ == "__main__":
    unittest.main()
