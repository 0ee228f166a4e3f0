"""The wall clock of a box steps by years while the cloud is away: no status is lost, late or older than another."""

import datetime
import json

import pytest
from cluster import wait
from cluster.kube import condition, container

from harness import pods
from harness.clock import SteppingClock


@pytest.fixture(scope="module", name="clock")
def fixture_clock(system):
    """The wall clock of the box's services."""
    return SteppingClock(system.folder / "clock")


@pytest.fixture(scope="module", name="node")
def fixture_node(system, clock):
    """One node with three pods."""
    system.cloud.start()
    node = system.make_node("edge-1")
    for service in node.services:
        service.env = clock.env
    system.add_node("edge-1")
    system.kubectl.apply(*(pods.pod(name) for name in ("before", "ahead", "both")))
    for name in ("before", "ahead", "both"):
        system.kubectl.wait_for("pod", name, "Ready", lambda p: condition(p, "Ready") == "True")
    return node


def end_container(node, pod):
    """Its process ends, as by itself; edged starts it again."""
    for container_id in node.running():
        labels = node.labels(container_id)
        if labels.get("io.kubernetes.pod.name") == pod and "io.kubernetes.container.name" in labels:
            node.exec(container_id, "kill", "-TERM", "1", check=False)
            return
    raise AssertionError(f"no container of {pod} runs")


def journalled(system, node, pod):
    """The status of a pod that waits for the cloud, or an empty one."""
    rows = system.rows(node.state_dir / "edgehub.db",
                       f"SELECT value FROM report WHERE type = 'pods' AND key = 'default/{pod}'")
    # The JSON inside a PodReport.
    return {"status": json.loads(value[value.index(b'{"'):value.rindex(b"}") + 1]) for value, in rows}


def runs_again(pod, restarts):
    """Whether a pod's status says so."""
    return container(pod).get("restartCount") == restarts and condition(pod, "Ready") == "True"


def restart(system, node, pod, restarts):
    """Ends a pod's container and waits until the journal has the status of the next one."""
    end_container(node, pod)
    wait.until(f"restart {restarts} of {pod} to be in the journal",
               lambda: runs_again(journalled(system, node, pod), restarts), 60)


def test_clock_set_back_between_two_changes_while_offline(system, node, clock):
    """[clock-1] Each last status arrives, and nothing in it is told by a clock that was wrong before."""
    began = datetime.datetime.now(datetime.timezone.utc)
    system.cloud.kill()
    wait.until("edgehub to notice", lambda: node.edgehub.metric("skerry_edgehub_link_connected") == 0, 60)
    restart(system, node, "before", 1)
    clock.step(days=9 * 365)
    node.stop()  # What is in the journal is looked at when edgehub starts: it is not nine years old.
    node.start()
    wait.until("edged to be ready", node.edged.ready, 30)
    restart(system, node, "ahead", 1)
    restart(system, node, "both", 1)
    assert node.edgehub.metric("skerry_edgehub_journal_entries") >= 3
    clock.step()
    restart(system, node, "both", 2)
    system.cloud.start()
    system.wait_ready("edge-1")
    shown = {name: system.kubectl.wait_for("pod", name, f"restarted {restarts} times",
                                           lambda p, n=restarts: runs_again(p, n))
             for name, restarts in (("before", 1), ("ahead", 1), ("both", 2))}
    ready = next(c for c in shown["both"]["status"]["conditions"] if c["type"] == "Ready")
    # It may date from before the restarts, where none was slow enough to show.
    made, changed = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
                     for text in (shown["both"]["metadata"]["creationTimestamp"], ready["lastTransitionTime"]))
    assert made <= changed <= began + datetime.timedelta(hours=1)
    assert node.edgehub.metric("skerry_edgehub_journal_drops_total", reason="expired") == 0
    wait.until("the journal to be empty", lambda: node.edgehub.metric("skerry_edgehub_journal_entries") == 0, 60)
