"""A pod from kubectl to a real container on an edge node, and back."""

import pytest
from cluster import wait
from cluster.kube import condition, container

from harness import pods


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One node; pods that take their time are applied at once, so that they fail while others are looked at."""
    system.cloud.start()
    node = system.add_node("edge-1")
    system.kubectl.apply(
        pods.pod("crashes", container={"command": ["sh", "-c", "echo about to fail; exit 3"]}),
        pods.pod("no-image", container={"image": "127.0.0.1:1/none:1"}),
    )
    return node


def ready(obj):
    """Whether a pod is Running and Ready."""
    return condition(obj, "Ready") == "True" and obj["status"]["phase"] == "Running"


def test_configmap_and_secret_are_in_files_and_environment(system, node):
    """[pod_lifecycle-1] And the pod's status says what runs."""
    config, config_mount = pods.volume_from_config_map("settings", "/etc/settings")
    password, password_mount = pods.volume_from_secret("password", "/etc/password")
    system.kubectl.apply(
        pods.config_map("settings", colour="green", size="7"),
        pods.secret("password", word="tide"),
        pods.pod("web", volumes=[config, password], container={
            "volumeMounts": [config_mount, password_mount],
            "env": [{"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
                    {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "password", "key": "word"}}},
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "ALL_"}],
        }))
    web = system.kubectl.wait_for("pod", "web", "Running and Ready", ready)
    status = container(web)
    assert status["restartCount"] == 0 and "running" in status["state"]
    assert web["status"]["podIP"] and web["status"]["hostIP"]
    assert status["containerID"].rpartition("/")[2] in node.running()
    seen = node.printed(status["containerID"], "sh", "-c",
                        "echo $COLOUR $WORD $NODE $ALL_size; cat /etc/settings/colour /etc/password/word")
    assert seen.split() == ["green", "tide", "edge-1", "7", "greentide"]
    row = system.kubectl("get", "pod", "web", "-o", "wide").splitlines()[1].split()
    assert row[:4] == ["web", "1/1", "Running", "0"]


def test_update_of_a_configmap_is_seen_in_the_container(system, node):
    """[pod_lifecycle-2] Without a restart."""
    before = container(system.kubectl.get("pod", "web"))
    system.kubectl("patch", "configmap", "settings", "-p", '{"data":{"colour":"blue"}}')
    wait.until("the new value in the container", lambda: node.exec(
        before["containerID"], "cat", "/etc/settings/colour") == "blue", 90)
    after = container(system.kubectl.get("pod", "web"))
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)


def test_delete_ends_the_container(system, node):
    """[pod_lifecycle-3] kubectl delete returns once the container is gone."""
    container_id = container(system.kubectl.get("pod", "web"))["containerID"].rpartition("/")[2]
    system.kubectl("delete", "pod", "web", "--wait=true", "--timeout=40s")
    assert container_id not in node.running()
    assert not system.kubectl.exists("pod", "web")


def test_forced_delete_kills_the_container(system, node):
    """[pod_lifecycle-3] Even one that ignores SIGTERM, without waiting for the edge."""
    system.kubectl.apply(pods.pod("stubborn", container={"command": ["sh", "-c", "trap '' TERM; sleep 1000000"]}))
    container_id = container(system.kubectl.wait_for("pod", "stubborn", "Running and Ready", ready))["containerID"]
    system.kubectl("delete", "pod", "stubborn", "--grace-period=0", "--force", "--wait=false")
    wait.until("the container to end", lambda: container_id.rpartition("/")[2] not in node.running(), 30)


def test_init_containers_run_in_order_before_the_container(system, node):
    """[pod_lifecycle-6] Each to its end."""
    mount = [{"name": "shared", "mountPath": "/shared"}]

    def init(name):
        return {"name": name, "image": pods.IMAGE, "imagePullPolicy": "IfNotPresent", "volumeMounts": mount,
                "command": ["sh", "-c", f"echo {name} >> /shared/log"]}

    system.kubectl.apply(pods.pod("prepared", volumes=[{"name": "shared", "emptyDir": {}}],
                                  initContainers=[init("first"), init("second")], container={"volumeMounts": mount}))
    prepared = system.kubectl.wait_for("pod", "prepared", "Running and Ready", ready)
    for name in ("first", "second"):
        assert container(prepared, name, init=True)["state"]["terminated"]["exitCode"] == 0
    assert node.printed(container(prepared)["containerID"], "cat", "/shared/log").split() == ["first", "second"]


def test_restart_policy_never_ends_the_pod(system, node):
    """[pod_lifecycle-7] With the phase that its container's exit code asks for."""
    for name, code, phase in (("fine", 0, "Succeeded"), ("broken", 4, "Failed")):
        system.kubectl.apply(pods.pod(name, restartPolicy="Never", container={"command": ["sh", "-c", f"exit {code}"]}))
        done = system.kubectl.wait_for("pod", name, phase, lambda p, want=phase: p["status"]["phase"] == want)
        assert container(done)["state"]["terminated"]["exitCode"] == code
        assert container(done)["restartCount"] == 0


def test_failing_container_is_restarted_with_back_off(system, node):
    """[pod_lifecycle-4] As the kubelet shows it."""
    crashes = system.kubectl.wait_for(
        "pod", "crashes", "in CrashLoopBackOff",
        lambda p: container(p).get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"
        and container(p)["restartCount"] >= 2, 90)
    assert crashes["status"]["phase"] == "Running"
    assert container(crashes)["lastState"]["terminated"]["exitCode"] == 3
    assert condition(crashes, "Ready") == "False"
    assert "CrashLoopBackOff" in system.kubectl("get", "pod", "crashes")
    system.kubectl("delete", "pod", "crashes", "--timeout=40s")


def test_image_that_cannot_be_pulled(system, node):
    """[pod_lifecycle-5] ErrImagePull and ImagePullBackOff take turns."""
    reasons = set()

    def both(obj):
        reason = container(obj).get("state", {}).get("waiting", {}).get("reason")
        reasons.add(reason)
        return reason == "ImagePullBackOff"

    missing = system.kubectl.wait_for("pod", "no-image", "in ImagePullBackOff", both, 60)
    assert missing["status"]["phase"] == "Pending"
    assert reasons <= {None, "ContainerCreating", "ErrImagePull", "ImagePullBackOff"}
    system.kubectl("delete", "pod", "no-image", "--timeout=40s")
