"""What an edge node does for itself while pods run: it probes them, and keeps their logs from filling the disk."""

import gzip

import pytest
from cluster import wait
from cluster.kube import condition, container

from harness import pods

LINES = 60000
FILES_MAX = 3
BYTES_MAX = 20000


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """A node that rotates logs early and looks often."""
    system.cloud.start()
    node = system.make_node("edge-1")
    node.edged.env = {"SKERRY_EDGED_CONTAINER_LOG_BYTES_MAX": str(BYTES_MAX),
                      "SKERRY_EDGED_CONTAINER_LOG_FILES_MAX": str(FILES_MAX),
                      "SKERRY_EDGED_CONTAINER_LOG_INTERVAL": "100ms"}
    return system.add_node("edge-1")


def ready(obj):
    """Whether a pod is Ready."""
    return condition(obj, "Ready") == "True"


def logs(node, pod):
    """Every file of a container's log, the oldest first."""
    files = list(node.state_dir.rglob(f"default_{pod}_*/main/0.log*"))
    return sorted(files, key=lambda path: (path.name == "0.log", path.name))


def numbers(path):
    """What a container has counted to in one file of its log."""
    text = gzip.open(path, "rt").read() if path.suffix == ".gz" else path.read_text()
    return [int(line.rpartition(" ")[2]) for line in text.splitlines()]


def test_logs_are_rotated_and_lose_no_line(system, node):
    """[node_upkeep-1] Also where edged is killed meanwhile, as often as it likes."""
    system.kubectl.apply(pods.pod("counts", script=(
        f"n=0; while [ $n -lt {LINES} ]; do n=$((n+1)); echo line $n; [ $((n % 50)) = 0 ] && usleep 10000; done; "
        "sleep 1000000")))
    system.kubectl.wait_for("pod", "counts", "Ready", ready)
    for _ in range(4):
        wait.until("a rotation", lambda: node.edged.metric("skerry_edged_log_rotations_total", result="ok") > 0)
        node.edged.kill()
        node.edged.start()

    def settled():
        files = logs(node, "counts")
        return files[-1].stat().st_size < BYTES_MAX and LINES in [n for path in files[-2:] for n in numbers(path)] and files

    files = wait.until("the last line to be written and rotation to come to rest", settled, 60)
    assert len(files) <= FILES_MAX
    assert [path.suffix == ".gz" for path in files] == [True] * (len(files) - 2) + [False, False]
    seen = [n for path in files for n in numbers(path)]
    assert seen == list(range(seen[0], LINES + 1))
    assert container(system.kubectl.get("pod", "counts"))["restartCount"] == 0


def test_probes_that_hang_delay_no_others(system, node):
    """[node_upkeep-2] Neither another pod's probe nor its preStop hook."""
    hang = {"httpGet": {"port": 8080, "path": "/cgi-bin/hang"}, "timeoutSeconds": 600, "periodSeconds": 1}
    up = {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 60}
    slow = [f"slow-{n}" for n in range(3)]
    system.kubectl.apply(*[pods.pod(name, script=(
        "mkdir /cgi-bin; printf '#!/bin/sh\\nsleep 1000000' > /cgi-bin/hang; chmod +x /cgi-bin/hang; httpd -f -p 8080 -h /"
        ), container={"startupProbe": up, "readinessProbe": hang, "livenessProbe": hang}) for name in slow])
    for name in slow:
        system.kubectl.wait_for("pod", name, "started", lambda pod: container(pod).get("started"))

    system.kubectl.apply(pods.pod("fast", terminationGracePeriodSeconds=600, script="touch /ok; httpd -f -p 8080 -h /", container={
        "readinessProbe": {"httpGet": {"port": 8080, "path": "/ok"}, "periodSeconds": 1, "failureThreshold": 1},
        "lifecycle": {"preStop": {"httpGet": {"port": 8080, "path": "/anything"}}}}))
    fast = system.kubectl.wait_for("pod", "fast", "Ready", ready, 30)
    for command, what, wanted in (("rm", "unready again", False), ("touch", "Ready again", True)):
        node.exec(container(fast)["containerID"], command, "/ok")
        system.kubectl.wait_for("pod", "fast", what, lambda pod, want=wanted: ready(pod) == want, 20)
    system.kubectl("delete", "pod", "fast", "--timeout=30s")
    assert not any(ready(system.kubectl.get("pod", name)) for name in slow)
    assert node.edged.metric("skerry_edged_probes_total", probe="readiness", result="ok") > 0
    assert node.edged.metric("skerry_edged_probes_late_total") == 0
