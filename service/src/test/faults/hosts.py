"""Hosts of a bed (.ci/host) in the place of local nodes: each with systemd, behind real sshd, with a cable and power that can be cut. And what
is done to them. Whoever uses this is in a bed; all of it ends with that."""

import os
import shutil
import subprocess
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import processes
import trouble

ROOT = Path(__file__).resolve().parents[4]
BED = Path("/run/bed")
GROUPS = Path("/sys/fs/cgroup")

# A node as the documentation says: a user, the scripts, a spool, a key that is good for two verbs.
NODE = r"""
umask 022
useradd --create-home --shell /bin/bash gpuuser
loginctl enable-linger gpuuser
chmod -R a+rX /opt/gpuq
ln -s /opt/gpuq/node-scripts/bin/gpuq /usr/local/bin/gpuq
mkdir -p /etc/gpuq
printf 'GPUQ_%s\n' "SPOOL=$1/spool" "SLOTS=$2" TEMPLATE=process GRACE=1 DISK_FREE=0 DATA_DIR=/opt/gpuq/examples/data >/etc/gpuq/gpuq.conf
install -d -o gpuuser -g gpuuser -m 750 "$1"
install -d -o gpuuser -g gpuuser -m 700 ~gpuuser/.ssh
printf 'command="/opt/gpuq/node-scripts/bin/gpuq allow serve watch",restrict %s\n' "$3" >~gpuuser/.ssh/authorized_keys
chown gpuuser: ~gpuuser/.ssh/authorized_keys
id -u gpuuser
"""


def bed(verb, *words):
    """A verb of .ci/host; what it printed. Raises CalledProcessError."""
    return subprocess.run([ROOT / ".ci/host", verb, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class Host:
    def __init__(self, number, folder, slots, witness):
        self.number, self.slots, self.name, self.folder = number, slots, f"h{number + 1}", folder
        self.root, self.mounted = BED / self.name / "root", number == 0
        self.home = f"/var/spool/node-{number}"
        self.disk = self.root / self.home[1:]
        self.spool = self.disk / "spool"
        self.key = folder / "key"
        if not self.key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        bed("up", self.name)
        bed("put", self.name, *(ROOT / name for name in ("node-scripts", "templates", "examples")), "/opt/gpuq/")
        user = bed("console", self.name, "bash", "-euc", NODE, "node", self.home, slots, self.key.with_suffix(".pub").read_text().strip())
        bed("kill", self.name)  # what is mounted now, it sees when it boots
        if self.mounted:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=40m,mode=750,uid={user},gid={user}", "gpuq", self.disk], check=True)
        shared = self.root / str(witness)[1:]
        shared.mkdir(parents=True)
        shared.parent.chmod(0o755)
        subprocess.run(["mount", "--bind", witness, shared], check=True)
        bed("up", self.name)
        with open(folder / "known_hosts", "a", encoding="utf-8") as known:
            known.write(f"{self.address()} {(self.root / 'etc/ssh/ssh_host_ed25519_key.pub').read_text()}")

    def address(self):
        return dict(line.split(" ", 1) for line in bed("login", self.name).splitlines())["address"]

    def settings(self):
        return f"host: {self.address()}, key: {self.key}, known-hosts: {self.folder}/known_hosts"

    def file(self, name, text):
        """Leaves it there; its path as the host has it."""
        path = self.root / "var/tmp" / name
        path.write_text(text)
        path.chmod(0o644)
        return f"/var/tmp/{name}"

    def gpuq(self, *words):
        """By hand, as an operator who has logged in: its code and what it printed. 255 when nobody knows what came of it."""
        done = subprocess.run([ROOT / ".ci/host", "run", "--user", "gpuuser", self.name, "gpuq", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.returncode, done.stdout.strip()

    def processes(self):
        found = []
        for group, _, _ in os.walk(GROUPS / self.name):  # unlike rglob it passes those that go while it looks
            try:
                found += map(int, Path(group, "cgroup.procs").read_text().split())
            except OSError:  # it has gone
                pass
        return found

    def called(self, *names):
        """Those of its processes one of whose words is one of these."""
        return [pid for pid in self.processes() if {*names} & {*processes.words(pid)}]

    def close(self):
        """It ends with the bed; what is in its spool outlives that."""
        shutil.copytree(self.spool, self.folder / f"node-{self.number}", symlinks=True, ignore=lambda at, names: [
            name for name in names if not (Path(at, name).is_dir() or Path(at, name).is_file() or Path(at, name).is_symlink())])


# What is done to a whole host. One at a time for each.

def cut(evil, host):
    """Everything to and from it gets lost, without a word."""
    bed("cut", host.name)
    yield
    bed("heal", host.name)


def lossy(evil, host):
    bed("loss", evil.rng.choice((5, 30)), host.name)
    yield
    bed("heal", host.name)


def slow(evil, host):
    bed("slow", evil.rng.choice(("16kbit", "256kbit")), host.name)
    yield
    bed("fast", host.name)


def freeze(evil, host):
    bed("freeze", host.name)
    yield
    bed("thaw", host.name)


def power(evil, host):
    bed("kill", host.name)
    yield
    bed("up", host.name)


def reboot(evil, host):
    """In good order."""
    bed("down", host.name)
    yield
    bed("up", host.name)


def give_up(evil, host):
    """It is declared lost while its jobs run on; then it is back."""
    bed("cut", host.name)
    yield
    for server in evil.world.servers:
        evil.clients.tell(server, host, "lost", patience=8)
    yield
    bed("heal", host.name)


# What is done to processes there, whatever happens to the host.

def drop(evil, host):
    """Connections die, new ones are possible at once."""
    processes.send([pid for pid in host.processes() if "".join(processes.words(pid)).startswith("sshd: gpuuser")], SIGKILL)
    yield


def half_open(evil, host):
    stopped = host.called(evil.rng.choice(("serve", "watch")))
    processes.send(stopped, SIGSTOP)
    yield
    processes.send(stopped, SIGCONT)


OF_HOSTS = (cut, cut, lossy, slow, freeze, power, power, reboot, give_up)
OF_PROCESSES = (drop, drop, half_open, trouble.kill_supervisor, trouble.kill_job, trouble.full_disk)
