"""What the scenarios of the real kubectl share: an API server without nodes, a namespace each, readers of its tables."""

import json
import re

import pytest
from cluster.kube import KubectlFailed

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [{
            "name": "main",
            "image": "nginx:1.25",
            "ports": [{"containerPort": 80}],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}},
            "volumeMounts": [{"name": "config", "mountPath": "/config"}],
        }],
        "volumes": [{"name": "config", "configMap": {"name": "settings"}}],
    },
}


def named(obj, name, **metadata):
    """A copy of `obj` with another name."""
    copy = json.loads(json.dumps(obj))
    copy["metadata"]["name"] = name
    copy["metadata"].update(metadata)
    return copy


@pytest.fixture(scope="module", name="kubectl")
def fixture_kubectl(system):
    """kubectl of an API server without nodes' services."""
    system.cloud.folder.mkdir(parents=True, exist_ok=True)
    system.cloud.api.start()
    return system.cloud.kubectl(system.folder / "kubectl-cache")


@pytest.fixture(name="space")
def fixture_space(kubectl, request):
    """A namespace of the test's own."""
    name = "t-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "pods", "--all", "-n", name, "--force", "--grace-period=0", check=False)
    kubectl("delete", "namespace", name, "--wait=false")


def refused(kubectl, *arguments, stdin=None):
    """Runs kubectl, expects that it fails, returns what it said."""
    with pytest.raises(KubectlFailed) as failure:
        kubectl(*arguments, stdin=stdin)
    return str(failure.value)


def columns(text):
    """The header of a table, and its rows by the first cell."""
    lines = [re.split(r"\s{2,}|\t", line.strip()) for line in text.strip().splitlines()]
    return lines[0], {line[0]: line for line in lines[1:]}


def make_node(kubectl, name, ready="True", **spec):
    """A Node whose status says what a kubelet would."""
    kubectl.apply({"apiVersion": "v1", "kind": "Node", "spec": spec,
                   "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name,
                                                         "node-role.kubernetes.io/edge": ""}}})
    status = {"status": {"conditions": [{"type": "Ready", "status": ready}],
                         "addresses": [{"type": "InternalIP", "address": "10.1.2.3"}],
                         "nodeInfo": {"kubeletVersion": "v1.32.0", "osImage": "Debian"}}}
    kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", json.dumps(status))
