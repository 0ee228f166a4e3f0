"""kubectl logs, exec, attach, port-forward and cp against a pod on an edge node, through the link."""

import concurrent.futures
import contextlib
import hashlib
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest
from cluster import binaries, wait
from cluster.kube import condition, container

from harness import pods

MEBIBYTE = 1 << 20


class Streams:
    """Runs kubectl without the harness's limit on a request's time."""

    def __init__(self, system, cache):
        self._base = [binaries.kubectl(), f"--kubeconfig={system.cloud.admin_kubeconfig}", f"--cache-dir={cache}"]

    def command(self, *arguments):
        """The command line."""
        return [*self._base, *arguments]

    def run(self, *arguments, stdin=b"", timeout=60):
        """The finished process, with bytes."""
        return subprocess.run(self.command(*arguments), input=stdin, check=False, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ok(self, *arguments, **options):
        """Standard output of a command that must succeed."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, (arguments, done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    @contextlib.contextmanager
    def started(self, *arguments):
        """A running process; killed at the end."""
        with subprocess.Popen(self.command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One node with the pods that all tests look at."""
    system.cloud.start()
    node = system.add_node("edge-1")
    talk = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.2; done"
    second = {"name": "side", "image": pods.IMAGE, "imagePullPolicy": "IfNotPresent",
              "command": ["sh", "-c", "echo from the side; sleep 1000000"]}
    shell = pods.pod("shell", container={
        "command": ["sh", "-c", "mkdir -p /www; httpd -p 8080 -h /www; for i in 1 2 3 4 5; do echo number $i; done; "
                                "sleep 1000000"]})
    shell["spec"]["containers"].append(second)
    talker = pods.pod("talker", container={"command": ["sh", "-c", talk]})
    reader = pods.pod("reader", container={"command": ["sh", "-c", "while read x; do echo got $x; done"],
                                           "stdin": True})
    crasher = pods.pod("crasher", container={"command": ["sh", "-c", "echo start at $(date +%s); exit 1"]})
    missing = pods.pod("missing", container={"image": "127.0.0.1:1/none:1"})
    system.kubectl.apply(shell, talker, reader, crasher, missing)
    for name in ("shell", "talker", "reader"):
        system.kubectl.wait_for("pod", name, "Ready", lambda p: condition(p, "Ready") == "True")
    return node


@pytest.fixture(scope="module", name="kubectl")
def fixture_kubectl(system, node, tmp_path_factory):
    """kubectl for streams; the pods run."""
    assert node.joined
    return Streams(system, tmp_path_factory.mktemp("cache"))


# ---- logs

def test_logs(kubectl):
    """[edged-7.1] All, the end, stamped, limited, of a container that is named."""
    lines = [f"number {i}" for i in range(1, 6)]
    wait.until("all lines", lambda: kubectl.ok("logs", "shell", "-c", "main").splitlines() == lines, 30)
    assert kubectl.ok("logs", "shell", "-c", "main", "--tail=2").splitlines() == lines[-2:]
    assert kubectl.ok("logs", "shell", "-c", "main", "--tail=0") == ""
    assert kubectl.ok("logs", "shell", "-c", "main", "--limit-bytes=8") == "number 1"
    assert kubectl.ok("logs", "shell", "-c", "side") == "from the side\n"
    stamped = kubectl.ok("logs", "shell", "-c", "main", "--timestamps", "--tail=1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) number 5\n", stamped), stamped
    recent = kubectl.ok("logs", "talker", "--since=2s").splitlines()
    assert 3 <= len(recent) <= 40


def test_logs_say_what_is_wrong(system, kubectl):
    """[edged-7.3] In Kubernetes' words."""
    def error(*arguments):
        done = kubectl.run("logs", *arguments)
        assert done.returncode != 0
        return done.stderr.decode()

    assert 'container nobody is not valid for pod shell' in error("shell", "-c", "nobody")
    assert '"nothing" not found' in error("nothing")
    assert "previous terminated container" in error("talker", "--previous")
    system.kubectl.wait_for("pod", "missing", "waiting", lambda p: "waiting" in container(p).get("state", {}))
    assert "is waiting to start" in error("missing")


def test_logs_of_the_previous_start(system, kubectl):
    """[edged-7.1] --previous is the start before."""
    system.kubectl.wait_for("pod", "crasher", "restarted", lambda p: container(p).get("restartCount", 0) >= 1)
    before = kubectl.ok("logs", "crasher", "--previous")
    assert before.startswith("start at ")


def test_logs_follow_to_the_end_of_the_container(system, kubectl):
    """[edged-7.1] What comes is shown at once, and the end of the container is the end."""
    system.kubectl.apply(pods.pod("ends", restartPolicy="Never", container={
        "command": ["sh", "-c", "for i in $(seq 1 20); do echo step $i; sleep 0.2; done"]}))
    system.kubectl.wait_for("pod", "ends", "Running", lambda p: p["status"]["phase"] == "Running")
    assert kubectl.ok("logs", "-f", "ends").splitlines() == [f"step {i}" for i in range(1, 21)]


# ---- exec, attach

def test_exec(kubectl):
    """[edged-7.2] Both outputs, input, the exit code, and the kubelet's refusals."""
    done = kubectl.run("exec", "shell", "-c", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout) == (3, b"out\n")
    assert done.stderr.startswith(b"err\n")
    much = os.urandom(2 * MEBIBYTE)
    done = kubectl.run("exec", "-i", "shell", "-c", "main", "--", "sha256sum", stdin=much)
    assert done.stdout.decode().split()[0] == hashlib.sha256(much).hexdigest()
    done = kubectl.run("exec", "shell", "-c", "main", "--", "no-such-program")
    assert done.returncode != 0 and b"no-such-program" in done.stderr


def test_exec_with_a_terminal(kubectl):
    """[edged-7.2] The container's side is a terminal, and what is typed reaches it."""
    master, slave = pty.openpty()
    command = kubectl.command("exec", "-it", "shell", "-c", "main", "--", "sh")
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        os.close(slave)
        seen = b""

        def expect(wanted):
            nonlocal seen
            deadline = time.monotonic() + 30
            while wanted not in seen:
                ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
                assert ready, seen
                seen += os.read(master, 4096)

        os.write(master, b"test -t 0 && echo it is a ter''minal\n")
        expect(b"it is a terminal")
        os.write(master, b"exit 5\n")
        assert process.wait(timeout=30) == 5
    os.close(master)


def test_attach(kubectl):
    """[edged-7.2] To the container's own input and output."""
    with kubectl.started("attach", "-i", "reader") as process:
        os.set_blocking(process.stdout.fileno(), False)
        seen = b""

        def answered():
            nonlocal seen
            process.stdin.write(b"hello\n")
            process.stdin.flush()
            seen += process.stdout.read() or b""
            return b"got hello" in seen

        wait.until("the container's answer", answered, 30, 0.5)


# ---- port-forward, cp

@contextlib.contextmanager
def forwarded(kubectl, pod, port):
    """The local port of a port-forward."""
    with kubectl.started("port-forward", f"pod/{pod}", f":{port}") as process:
        line = process.stdout.readline().decode()
        match = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert match, line + process.stdout.read().decode()
        yield int(match.group(1)), process


def fetch(port, path):
    """The body of a file of the pod's HTTP server."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
        return connection.makefile("rb").read().split(b"\r\n\r\n", 1)[1]


def test_port_forward_carries_much(kubectl):
    """[edged-7.2] 20 MiB, compared by hash, and a second connection beside it."""
    kubectl.ok("exec", "shell", "-c", "main", "--", "sh", "-c",
               f"head -c {20 * MEBIBYTE} /dev/urandom > /www/much; echo small > /www/small", timeout=120)
    want = kubectl.ok("exec", "shell", "-c", "main", "--", "sha256sum", "/www/much").split()[0]
    with forwarded(kubectl, "shell", 8080) as (port, _):
        # Both are read at the same time: kubectl carries them in one SPDY connection, which one that is not read stops.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            much = pool.submit(fetch, port, "much")
            assert fetch(port, "small") == b"small\n"
            body = much.result(timeout=120)
    assert len(body) == 20 * MEBIBYTE
    assert hashlib.sha256(body).hexdigest() == want


def test_cp_both_ways(kubectl, tmp_path):
    """[edged-7.2] cp is exec and tar."""
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(3 * MEBIBYTE))
    kubectl.ok("cp", str(there), "default/shell:/tmp/copied", "-c", "main", timeout=120)
    kubectl.ok("cp", "default/shell:/tmp/copied", str(back), "-c", "main", timeout=120)
    assert back.read_bytes() == there.read_bytes()


# ---- what must not suffer, and what breaks

def test_slow_readers_hold_up_nothing(system, kubectl):
    """[link-8.8] Two that do not read at all, while a pod comes and goes."""
    flood = ("exec", "shell", "-c", "main", "--", "sh", "-c", "yes flood")
    with kubectl.started(*flood) as one, kubectl.started(*flood) as two:
        for process in (one, two):
            assert process.stdout.read(5) == b"flood"  # And no more.
        system.kubectl.apply(pods.pod("beside"))
        system.kubectl.wait_for("pod", "beside", "Ready", lambda p: condition(p, "Ready") == "True", timeout=30)
        assert kubectl.ok("logs", "shell", "-c", "side") == "from the side\n"
        system.kubectl("delete", "pod", "beside", "--wait=true", "--timeout=30s")


def test_a_cut_link_ends_both_ends(node, kubectl):
    """[link-8.7] The user and the process in the container's stream end; a node that is away is named at once."""
    with kubectl.started("logs", "-f", "talker") as follower:
        assert follower.stdout.readline().startswith(b"line")
        node.edgehub.kill()
        try:
            follower.wait(timeout=30)
            began = time.monotonic()
            done = kubectl.run("logs", "talker")
            assert done.returncode != 0
            assert b"edge-1 is not connected" in done.stderr, done.stderr
            assert time.monotonic() - began < 10
            done = kubectl.run("exec", "shell", "-c", "main", "--", "true")
            assert done.returncode != 0 and b"edge-1 is not connected" in done.stderr, done.stderr
        finally:
            node.edgehub.start()
    wait.until("the node's return", lambda: kubectl.run("logs", "talker", "--tail=1").returncode == 0, 60)


def test_a_user_that_goes_ends_what_it_began(kubectl):
    """[edged-7.4] Ctrl-C of a follower leaves no tunnel; 64 times, and the 65th still works."""
    for _ in range(66):
        with kubectl.started("logs", "-f", "talker", "--tail=1") as follower:
            assert follower.stdout.readline().startswith(b"line")
            follower.send_signal(signal.SIGINT)
            follower.wait(timeout=20)
    assert kubectl.ok("logs", "shell", "-c", "side") == "from the side\n"
