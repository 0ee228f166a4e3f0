"""The controllers live with the chart's rights alone: these are the policy of the real API server."""

import json
import re

import pytest
import yaml

from chart import find, render
from cluster import wait
from cluster.cloud import CloudHalf

NAMESPACE = "skerry"
PREFIX = "site-skerry-cloud"
USERS = {"edge-controller-svc": "system:edge-controller", "device-controller-svc": "system:device-controller",
         "router-svc": "system:router"}


def _policy(objects):
    """The policy of standalone-api-svc that says what the roles of the chart say, each bound to its user."""
    administrators = {"name": "administrators", "subjects": {"groups": ["system:masters"]}, "allow": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    rules = [administrators]
    for service, user in USERS.items():
        allow = []
        for binding in (obj for obj in objects if obj["kind"] in ("RoleBinding", "ClusterRoleBinding")):
            if binding["subjects"][0]["name"] == f"{PREFIX}-{service}":
                ref = binding["roleRef"]
                namespace = binding["metadata"].get("namespace")
                role = next(obj for obj in objects if obj["kind"] == ref["kind"] and obj["metadata"]["name"] == ref["name"]
                            and obj["metadata"].get("namespace") == namespace)
                allow += [{**rule, **({"namespaces": [namespace]} if namespace else {})} for rule in role["rules"]]
        rules.append({"name": service, "subjects": {"users": [user]}, "allow": allow})
    return {"rules": rules}


@pytest.fixture(name="own_cloud")
def fixture_own_cloud(tmp_path, binaries):
    """A cloud half whose API has the chart's rights as its policy, and whose controllers elect leaders as the chart says."""
    objects = render(namespace=NAMESPACE)
    cloud = CloudHalf(tmp_path / "cloud", tmp_path / "logs", binaries)
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(_policy(objects)))
    cloud.api.settings["auth.policy_file"] = str(tmp_path / "policy.yaml")
    cloud.controller.settings["pod_gc.after"] = "1s"
    for controller, service in ((cloud.controller, "edge-controller-svc"), (cloud.devices, "device-controller-svc")):
        config = yaml.safe_load(find(objects, "ConfigMap", f"{PREFIX}-{service}")["data"][f"{service}.yaml"])
        controller.settings |= {f"leader_election.{key}": value for key, value in config["leader_election"].items()}
    try:
        cloud.start_api()
        cloud.kubectl(tmp_path / "cache")("create", "namespace", NAMESPACE)
        cloud.start()
        yield cloud
    finally:
        cloud.stop()


def test_controllers_live_with_these_rights(own_cloud, tmp_path):
    """They lead, know their objects, delete a pod whose node is gone, disable a device, and are refused nothing."""
    kubectl = own_cloud.kubectl(tmp_path / "cache")
    for service in own_cloud.controllers:
        wait.until(f"{service.name} to be ready", service.ready, 30, 0.1)
    leases = {lease["metadata"]["name"] for lease in kubectl.get("lease", namespace=NAMESPACE)["items"]}
    assert leases == {f"{PREFIX}-edge-controller-svc", f"{PREFIX}-device-controller-svc"}
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lost"},
                   "spec": {"nodeName": "gone", "containers": [{"name": "c", "image": "i"}]}},
                  {"apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device", "metadata": {"name": "pump"},
                   "spec": {"deviceModelRef": {"name": "none"}, "nodeName": "gone"}})
    wait.until("the device to be registered and disabled", lambda: "disabled" in own_cloud.skerryctl(
        "device", "disable", "default/pump", "--reason=it leaks", *own_cloud.device_flags, check=False), 30, 0.2)
    wait.until("the pod of no node to be deleted", lambda: not kubectl.exists("pod", "lost"), 30, 0.2)
    for service in own_cloud.controllers:
        log = service.log.read_text()
        refused = [line for line in log.splitlines() if re.search(r"PERMISSION_DENIED|forbidden|\b403\b", line)]
        assert not refused, json.dumps(refused[:3], indent=1)
