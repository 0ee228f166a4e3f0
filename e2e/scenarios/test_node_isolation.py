"""A node sees and changes only what is its own: identity comes from its certificate, never from what it says (L7)."""

import json
import subprocess

import pytest
from cluster import wait
from cluster.kube import condition, container
from harness import hostile, pods


@pytest.fixture(scope="module", name="nodes")
def fixture_nodes(system):
    """edge-1 with a pod, its ConfigMap and Secret; edge-2, which will lie, with a pod of its own."""
    system.cloud.start()
    first = system.add_node("edge-1")
    second = system.add_node("edge-2", runtime=False)
    for name, node in (("mine", "edge-1"), ("theirs", "edge-2")):
        config, config_mount = pods.volume_from_config_map(f"config-{name}", "/etc/config")
        secret, secret_mount = pods.volume_from_secret(f"secret-{name}", "/etc/secret")
        system.kubectl.apply(
            pods.config_map(f"config-{name}", a="1"), pods.secret(f"secret-{name}", b="2"),
            pods.pod(name, node=node, volumes=[config, secret],
                     container={"volumeMounts": [config_mount, secret_mount]}))
    system.kubectl.apply(pods.config_map("config-nobodys", a="1"), pods.secret("secret-nobodys", b="2"))
    system.kubectl.wait_for("pod", "mine", "Ready", lambda p: condition(p, "Ready") == "True")
    return first, second


def held(system, node):
    """type/key of all that a box stores."""
    rows = system.rows(node.state_dir / "edge-meta.db", "SELECT type, key FROM objects")
    return {f"{kind}/{key}" for kind, key in rows}


def test_each_box_holds_its_own_objects_and_no_others(system, nodes):
    """[node_isolation-1] Its pods, and the ConfigMaps and Secrets that those name."""
    for node, name in zip(nodes, ("mine", "theirs")):
        own = {f"pods/default/{name}", f"configmaps/default/config-{name}", f"secrets/default/secret-{name}"}
        wait.until(f"the objects of {node.name}", lambda n=node, o=own: o <= held(system, n), 20)
        foreign = {key for key in held(system, node) - own if not key.startswith(("serviceaccounts/", "configmaps/default/kube"))}
        assert foreign <= {f"nodes/{node.name}"}


def test_an_object_that_is_no_longer_needed_leaves_the_box(system, nodes):
    """[node_isolation-2] A Secret goes with the last pod that names it."""
    second = nodes[1]
    system.kubectl("delete", "pod", "theirs", "--grace-period=0", "--force", "--wait=false")
    wait.until("the objects to go", lambda: not {key for key in held(system, second) if "theirs" in key}, 20)


def test_reports_of_another_node_change_nothing(system, nodes):
    """[node_isolation-3] Pods of edge-1, and edge-1 itself, as edge-2 would like them to be."""
    first, second = nodes
    before = system.kubectl.get("pod", "mine")
    lie = json.dumps({"phase": "Failed", "reason": "Hacked", "message": "by edge-2"})
    second.meta.stop()
    hostile.put_reports(second, [
        ("pods", "default/mine", hostile.pod_report(before["metadata"]["uid"], lie, gone=True)),
        ("nodes", "edge-1", hostile.node_report('{"nodeInfo": {"kubeletVersion": "hacked"}}', hacked="yes")),
    ])
    rejected = system.cloud.controller.metric("skerry_edgecontroller_reports_total", result="rejected")
    second.meta.start()
    wait.until("the cloud to have refused both", lambda: system.cloud.controller.metric(
        "skerry_edgecontroller_reports_total", result="rejected") >= rejected + 2, 30)
    wait.until("edge-2 to have been told", lambda: second.edgehub.metric("skerry_edgehub_journal_entries") == 0, 30)
    after = system.kubectl.get("pod", "mine")
    assert after["status"] == before["status"]
    node = system.kubectl.get("node", "edge-1")
    assert "hacked" not in node["metadata"]["labels"]
    assert node["status"]["nodeInfo"]["kubeletVersion"] != "hacked"
    assert container(after)["containerID"].rpartition("/")[2] in first.running()


def test_events_about_another_nodes_objects_are_refused(system, nodes):
    """[node_isolation-6] Of edge-1's pod, of edge-1, and what is no event at all."""
    second = nodes[1]
    mine = system.kubectl.get("pod", "mine")

    def refused():
        return system.cloud.controller.metric("skerry_edgecontroller_node_events_total", result="rejected")

    before = refused()
    hostile.put_events(second, [
        hostile.event(name="mine", uid=mine["metadata"]["uid"]),
        hostile.event(kind="Node", namespace="", name="edge-1", uid="edge-1"),
        b"\xff\xff",
        hostile.event(kind="Node", namespace="", name="edge-2", uid="edge-2", reason="Honest"),
    ])
    wait.until("the last to be written", lambda: "Honest" in system.kubectl(
        "get", "events", "-n", "default", "--field-selector=involvedObject.name=edge-2"), 30)
    assert refused() == before + 3
    assert "Forged" not in system.kubectl("get", "events", "-A")


def test_a_certificate_of_another_name_is_not_to_be_had(system, nodes):
    """[node_isolation-4] A token for edge-2 makes nobody else a node."""
    second = nodes[1]
    token = system.cloud.create_token("--node=edge-2")
    impostor = type(second)("edge-1", system.folder / "impostor", system.logs / "impostor", system.binaries, False)
    done = impostor.join(system.cloud, token, check=False)
    assert done.returncode == 6 and not impostor.joined


def test_a_nodes_certificate_opens_no_other_door(system, nodes):
    """[node_isolation-5] Neither the hub's administration nor the Kubernetes API."""
    second = nodes[1]
    credentials = [f"--ca={second.config_dir / 'ca.crt'}", f"--cert={second.identity}", f"--key={second.identity}"]
    with pytest.raises(RuntimeError, match="(?i)permission|not allowed|denied"):
        system.cloud.skerryctl("token", "list", f"--hub={system.cloud.hub.addresses['api']}", *credentials)
    answer = subprocess.run(
        ["curl", "-sk", "--max-time", "10", "--cert", str(second.identity), "--key", str(second.identity),
         f"https://{system.cloud.api.addresses['api']}/api/v1/secrets"],
        text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert "secret-mine" not in answer.stdout
    assert answer.returncode != 0 or json.loads(answer.stdout)["code"] in (401, 403)
