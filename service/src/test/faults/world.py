"""The world of a storm in one folder: one or two servers, local nodes with their spools, and perhaps a MySQL server. All of it can be
killed, frozen and cut, and all of it goes on afterwards."""

import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import processes
from forms import submission
from hosts import Host

ROOT = Path(__file__).resolve().parents[4]
JAR = ROOT / "service/target/gpuq-server.jar"
CACHE = ROOT / "service/target/gpuq-server.aot"
PATIENCE = 60  # seconds that anything may take that is expected to come

# What stands between a server and a node. `cat` on either side is the link: one that is stopped is half open.
LINK = r"""#!/usr/bin/env bash
here=${BASH_SOURCE[0]%/*}
read -r mode <"$here/mode"
case $mode in
    silent) exec cat >/dev/null ;;
    refusing) exit 75 ;;
    babbling) head -c 5000 /dev/urandom; exec cat >/dev/null ;;
esac
export PATH=$here/bin:$PATH LD_PRELOAD=$here/clock.so NODE_CLOCK=$here/clock
(exec -a "commands-$1" cat) | SCRIPTS/bin/gpuq "$@" | (exec -a "answers-$1" cat)
"""

# A supervisor comes as late as a test wants: the first that finds `hold` there makes it `held`, and waits until that is gone.
LATE = r"""#!/usr/bin/env bash
here=${BASH_SOURCE[0]%/*}
if mv "$here/hold" "$here/held" 2>/dev/null; then
    while [[ -e $here/held ]]; do sleep 0.05; done
fi
exec /usr/bin/setsid "$@"
"""


def until(what, condition, patience=PATIENCE):
    """Waits for a condition; what it gives, when that is true."""
    over = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > over:
            raise TimeoutError(f"it did not come to this: {what}")
        time.sleep(0.03)
    return found


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)


class Node:
    """A local node; `disk` is its own where that is allowed, so that it can be full."""

    def __init__(self, number, folder, slots, scripts, disk):
        self.number, self.slots, self.folder, self.scripts = number, slots, folder / f"node-{number}", scripts
        self.conf, self.disk = self.folder / "gpuq.conf", self.folder / "disk"
        (self.folder / "bin").mkdir(parents=True)
        self.disk.mkdir()
        self.mounted = disk and 0 == subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "gpuq", self.disk], stderr=subprocess.DEVNULL).returncode
        self.spool = self.disk / "spool"
        self.conf.write_text(f"GPUQ_SPOOL={self.spool}\nGPUQ_SLOTS={slots}\nGPUQ_TEMPLATE=process\nGPUQ_DISK_FREE=0\nGPUQ_GRACE=1\n"
                             f"GPUQ_TEMPLATES={ROOT}/templates/launch\nGPUQ_DATA_DIR={ROOT}/examples/data\n")
        executable(self.folder / "gpuq", LINK.replace("SCRIPTS", str(scripts)))
        executable(self.folder / "bin/setsid", LATE)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self.folder / "clock.so", Path(__file__).with_name("clock.c")], check=True)
        self.ahead(0)
        self.link("open")

    def link(self, mode):
        new = self.folder / f"mode-{threading.get_ident()}"  # two troubles may be at it
        new.write_text(mode + "\n")
        os.replace(new, self.folder / "mode")

    def settings(self):
        """What the server's configuration says of it."""
        return f"local: {{command: {self.folder}/gpuq, config: {self.conf}}}"

    def file(self, name, text):
        """Leaves it there; its path as the node has it."""
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def ahead(self, seconds):
        """So much its clock is, from now on; those of its jobs are right."""
        clock = os.open(self.folder / "clock", os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(clock, struct.pack("q", seconds), 0)
        os.close(clock)

    def gpuq(self, *words):
        """By hand, as an operator: its code and what it printed."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment |= {"GPUQ_CONF": str(self.conf), "LD_PRELOAD": str(self.folder / "clock.so"), "NODE_CLOCK": str(self.folder / "clock")}
        done = subprocess.run([self.scripts / "bin/gpuq", *words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.returncode, done.stdout.strip()

    def processes(self):
        return processes.of(f"GPUQ_CONF={self.conf}")

    def called(self, *names):
        """Those of its processes one of whose words is one of these."""
        return [pid for pid in self.processes() if {*names} & {*processes.words(pid)}]

    def close(self):
        processes.kill(self.processes)
        if self.mounted:
            subprocess.run(["umount", "-l", self.disk], check=True)


class MySQL:
    """A server of one's own, from the folder that .ci/lib/mysql.bash unpacks. An empty one takes seconds to make: that is done once."""

    BLANK = tempfile.TemporaryDirectory(prefix="gpuq-mysql-")
    MAKING = threading.Lock()

    def __init__(self, folder):
        self.port, self.folder, self.process = free_port(), folder / "mysql", None
        blank = Path(self.BLANK.name, "data")
        with self.MAKING:
            if not blank.exists():
                subprocess.run([*self.words(blank), "--initialize-insecure"], stderr=subprocess.DEVNULL, check=True)
        shutil.copytree(blank, self.folder / "data")
        (self.folder / "schema").write_text("CREATE DATABASE IF NOT EXISTS gpuq;\n")
        self.start()

    @staticmethod
    def words(data):
        home = Path(os.environ["MYSQL_HOME"])
        return [home / "bin/mysqld", "--no-defaults", "--user=root", f"--basedir={home}", f"--datadir={data}", "--skip-log-bin",
                "--innodb-redo-log-capacity=8M"]

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([*self.words(self.folder / "data"), f"--port={self.port}", "--bind-address=127.0.0.1", "--mysqlx=OFF",
                                             f"--socket={self.folder}/socket", f"--init-file={self.folder}/schema"], stdout=log, stderr=log)

    def wait(self):
        until("MySQL listens", self.listens)

    def listens(self):
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()


class Server:
    def __init__(self, number, world):
        self.number, self.port, self.process, self.wanted = number, free_port(), None, False
        self.data = world.folder / f"server-{number}"
        self.data.mkdir()
        self.configuration = self.data / "gpuq.yaml"
        database = f'database: {{url: "jdbc:mysql://127.0.0.1:{world.mysql.port}/gpuq", username: root}}\n' if world.mysql else ""
        nodes = "".join(f"  - {{id: {node.number}, {node.settings()}}}\n" for node in world.nodes)
        nervous = (", lease: PT3S, cancel-patience: PT5S", "node: {heartbeat: PT1S, patience: PT3S, checkup: PT10S}\n") if world.stormy else ("", "")
        self.configuration.write_text(
            f"mode: demonstration\nserver: {{host: 127.0.0.1, port: {self.port}{nervous[0]}}}\ndata-directory: {self.data}\n"
            f"templates: {ROOT}/templates\n{database}{nervous[1]}nodes:\n{nodes}")
        start = ["-cp", f"{world.shadow}:{JAR}", "gpuq.Main"] if world.shadow else [f"-XX:AOTCache={CACHE}", "-jar", JAR]
        account = [] if world.stormy else ["-XX:NativeMemoryTracking=summary"]
        self.words = [Path(os.environ["JDK"]) / "bin/java", f"@{ROOT}/service/jvm.args", *account, *start, "--config", self.configuration]

    def command(self, *words):
        return subprocess.run([*self.words, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def start(self):
        with open(self.data / "log", "ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.wanted = True

    def kill(self, which=signal.SIGKILL):
        self.wanted = False
        self.process.send_signal(which)
        self.process.wait()

    def living(self):
        return self.process is not None and self.process.poll() is None

    def keep(self):
        """As an init does: a server that found no database at its start has ended, and is started again."""
        if self.wanted and not self.living():
            self.start()

    def ready(self):
        try:
            return self.ask("GET", "/health", patience=2)[0] < 300
        except (OSError, http.client.HTTPException):
            return False

    def leads(self):
        """Only who leads knows that a submit for data which no node has can never be taken."""
        body, headers = submission("nobody", "pass\n", competition_id="nowhere")
        try:
            return self.living() and self.ask("POST", "/api/submit", body, headers, patience=2)[0] == 400
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method, path, body=None, headers=None, patience=PATIENCE):
        """The code and the document of the answer. Raises OSError or HTTPException when there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


class World:
    """@param shadow: a folder of classes that take the place of the server's own; scripts: the node scripts; witness: a folder that hosts see, too,
    when there shall be hosts; stormy: whether servers soon notice that something is wrong, and a node's disk can be full."""

    def __init__(self, folder, slots=(2, 1, 1), servers=1, mysql=False, scripts=ROOT / "node-scripts", shadow=None, witness=None, stormy=True):
        self.folder, self.shadow, self.stormy = Path(folder), shadow, stormy
        self.closed = threading.Event()
        self.nodes = [Host(number, self.folder, count, witness) if witness else Node(number, self.folder, count, scripts, disk=stormy and number == 0)
                      for number, count in enumerate(slots)]
        self.mysql = MySQL(self.folder) if mysql else None
        self.servers = [Server(number, self) for number in range(servers)]
        if self.mysql:
            self.mysql.wait()
        self.token = self.servers[0].command("user", "add", "boss", "--admin").split()[-1]
        for server in self.servers:
            server.start()
        self.keeper = threading.Thread(target=self.keep)
        self.keeper.start()
        for server in self.servers:
            until(f"server {server.number} is ready", server.ready)

    def keep(self):
        while not self.closed.wait(0.3):
            for server in self.servers:
                server.keep()

    def leader(self):
        return next((server for server in self.servers if server.leads()), None)

    def boss(self):
        return {"Authorization": f"Bearer {self.token}"}

    def views(self, server):
        """What a server says of the nodes; nothing when it says nothing."""
        try:
            code, document = server.ask("GET", "/api/nodes", patience=5)
            return {node["node_id"]: node for node in document["nodes"]} if code == 200 else {}
        except (OSError, http.client.HTTPException):
            return {}

    def condition(self, node):
        """What the leader says of a node."""
        server = self.leader()
        return self.views(server).get(node.number, {}).get("status") if server else None

    def close(self):
        self.closed.set()
        self.keeper.join()
        for server in self.servers:
            if server.living():
                server.kill()
        if self.mysql:
            self.mysql.kill()
        for node in self.nodes:
            node.close()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
