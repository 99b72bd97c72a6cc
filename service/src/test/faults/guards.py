"""The guards that hold the rules, and what happens without each: a build with one taken out, and a scenario that comes to nothing only because
of it. The scenario waits for what it needs, so it comes out the same every time."""

import os
import shutil
import subprocess
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import processes
from storm import Scene
from world import JAR, ROOT, until

CLASSES = ROOT / "service/target/classes"


def committed_sent(scene):
    """The server dies when the node has the job and nobody knows it; then the node is away. The job must not be placed on another one."""
    server, (near, far) = scene.world.servers[0], scene.world.nodes
    active(scene, near, far)
    spoken_with(scene, near)
    stopped = near.called("answers-serve", "answers-watch")
    processes.send(stopped, SIGSTOP)
    near.link("refusing")
    scene.clients.submit(server, "first", scene.witness.solution("first", gate="go"))
    until("it runs", lambda: scene.witness.begun("first"))
    server.kill()
    processes.send(stopped, SIGCONT)
    server.start()
    until("the server is back", server.ready)
    until("it looks for the node", lambda: scene.world.condition(near) == "unreachable")
    for token in ("second", "third"):  # meanwhile whoever has no node gets one, in a second
        scene.clients.submit(server, token, scene.witness.solution(token, seconds=1), wait=True)
    near.link("open")
    active(scene, near)
    scene.witness.open_gate("go")


def tombstone(scene):
    """A submit is on its way when its job is cancelled, and the node hears of the cancel first."""
    server, (node,) = scene.world.servers[0], scene.world.nodes
    active(scene, node)
    spoken_with(scene, node)
    links, old = node.called("commands-serve"), serving(node)
    processes.send(links, SIGSTOP)
    solution = scene.witness.solution("late")
    _, job = scene.clients.submit(server, "late", solution)
    until("it is on its way", lambda: on_its_way(links, solution))
    node.link("refusing")
    until("the server gives the connection up", lambda: scene.world.condition(node) == "unreachable")
    scene.clients.cancel(server, job["job_id"])
    node.link("open")
    until("the cancel is confirmed", lambda: scene.clients.read(server, "status", job["job_id"])[1].get("status") == "cancelled")
    node.link("refusing")  # so that the node alone decides
    processes.send([pid for pid in node.called("commands-serve", "commands-watch", "serve", "watch") if pid not in {*links, *old}], SIGKILL)
    processes.send(links, SIGCONT)
    until("the submit has arrived", lambda: not any(map(processes.living, old)))
    node.gpuq("queue")  # whoever looks lets start what waits
    idle(node)
    node.link("open")


def nonce(scene):
    """A supervisor comes when it was given up, and its slot is another job's."""
    server, (node,) = scene.world.servers[0], scene.world.nodes
    active(scene, node)
    (node.folder / "bin/hold").touch()
    _, job = scene.clients.submit(server, "first", scene.witness.solution("first"))
    until("its supervisor is on its way", lambda: (node.folder / "bin/held").exists())
    late = until("it is seen", lambda: node.called(job["job_id"]))
    scene.clients.submit(server, "second", scene.witness.solution("second", gate="go"), priority=100)
    until("the slot is given to the other", lambda: scene.witness.begun("second"))
    (node.folder / "bin/held").unlink()
    until("the supervisor has come and gone", lambda: not any(map(processes.living, late)))
    scene.witness.open_gate("go")


def epoch(scene):
    """A server falls asleep over a `resume`; another leads, and has the node drained. Then the resume arrives."""
    (node,) = scene.world.nodes
    active(scene, node)
    first = until("the leader drains it", lambda: (server := scene.world.leader()) and scene.clients.tell(server, node, "drain") == 200 and server)
    second, = (server for server in scene.world.servers if server is not first)
    scene.clients.operator(node, "waits")
    links, old = node.called("commands-serve"), serving(node)
    processes.send(links, SIGSTOP)
    scene.clients.tell(first, node, "resume", patience=0.5)
    until("it is on its way", lambda: on_its_way(links, " resume 0\n"))
    first.process.send_signal(SIGSTOP)
    until("the other leads", lambda: scene.world.leader() is second)
    until("it knows the node", lambda: scene.world.condition(node) == "drained")
    until("it is drained anew", lambda: scene.clients.tell(second, node, "drain") == 200)
    processes.send(links, SIGCONT)
    until("the resume has left", lambda: not any(map(processes.waiting, links)))
    first.kill()  # who slept for ever is dead; so the conversation ends when all of it was heard
    until("the resume has arrived", lambda: not any(map(processes.living, old)))
    idle(node)
    until("it is resumed", lambda: scene.clients.tell(second, node, "resume") == 200)
    first.start()
    until("the first is back", first.ready)


def active(scene, *nodes):
    for node in nodes:
        until(f"node {node.number} is active", lambda: scene.world.condition(node) == "active")
        until("it is listened to", lambda: node.called("answers-watch"))


def spoken_with(scene, node):
    """Until a job has run there: its hand-over has a conversation of its own, which is open from then on."""
    tokens = iter(range(100))

    def ran():
        token = f"before-{next(tokens)}"
        scene.clients.submit(scene.world.servers[0], token, scene.witness.solution(token), wait=True)
        return [run for run in scene.witness.begun(token) if run["node"] == node.number]
    until("a job has run there", ran)
    idle(node)


def on_its_way(links, text):
    return any(text.encode() in processes.waiting(link) for link in links if processes.living(link))


def serving(node):
    """The node's own end of the conversation, without the link."""
    return [pid for pid in node.called("serve") if str(node.scripts / "bin/gpuq") in processes.words(pid)]


def idle(node):
    until("nothing runs there", lambda: not any((node.spool / "slots").iterdir()))


class Guard:
    """@param taken: the text that is the guard, given: what stands there without it; rules: which of them must be found broken, one at least."""

    def __init__(self, scenario, file, changes, rules, **world):
        self.scenario, self.file, self.changes, self.rules, self.world = scenario, Path(file), changes, rules, world
        self.name = scenario.__name__

    def history(self, folder, build):
        with Scene(folder, **self.world, **build) as scene:
            self.scenario(scene)
            return scene.settle()

    def without(self, folder):
        """A build without the guard, as the words that a world is made with."""
        text = (ROOT / self.file).read_text()
        for taken, given in self.changes:
            if text.count(taken) != 1:
                raise ValueError(f"{self.file} has changed: the guard {self.name} is not there once any more")
            text = text.replace(taken, given)
        return self.of_server(folder, text) if self.file.suffix == ".java" else self.of_node(folder, text)

    def of_server(self, folder, text):
        source, classes = folder / self.file.name, folder / "classes"
        source.write_text(text)
        subprocess.run([Path(os.environ["JDK"]) / "bin/javac", "-nowarn", "-proc:none", "-d", classes, "-cp", f"{CLASSES}:{JAR.parent}/libs/*", source], check=True)
        return {"shadow": classes}

    def of_node(self, folder, text):
        scripts = folder / "node-scripts"
        shutil.copytree(ROOT / "node-scripts", scripts, ignore=shutil.ignore_patterns("test"))
        (scripts / self.file.relative_to("node-scripts")).write_text(text)
        return {"scripts": scripts}


GUARDS = (
    Guard(committed_sent, "service/src/main/java/gpuq/dispatch/Courier.java",
          [("                Job sent = job.get().in(new State.Sent(on));\n                yield store.move(job.get(), sent) && send(sent);",
            "                yield send(job.get());"),
           ("        progress.apply(id, node, said);\n        return true;\n    }\n\n    /** An earlier try",
            "        if (job.state() instanceof State.Placed) {\n            store.move(job, job.in(new State.Sent(id)));\n        }\n"
            "        progress.apply(id, node, said);\n        return true;\n    }\n\n    /** An earlier try")],
          {"runs_once"}, slots=(1, 2)),
    Guard(tombstone, "node-scripts/lib/job.bash",
          [('        return 75\n    fi\n    job::record "$name"\n}', '        return 75\n    fi\n    job::record "$name"\n    [[ ! -f $home ]] || rm -- "$home"\n}')],
          {"cancelled_is_gone"}, slots=(1,)),
    Guard(nonce, "node-scripts/libexec/gpuq-supervise",
          [('slots::granted "$name" "$nonce" || return 0 #', 'slots::granted "$name" "$nonce" || : #')],
          {"slots_suffice", "nothing_overlaps"}, slots=(1,)),
    Guard(epoch, "node-scripts/libexec/gpuq-serve",
          [("if ((10#$1 < REPLY)); then", "if false; then")],
          {"drained_means_drained"}, slots=(1,), servers=2, mysql=True),
)
