"""kubectl's kind List: what `kubectl get -o yaml` writes, `kubectl apply` takes back, checked field by field."""

import json

import pytest
from cluster.kube import KubectlFailed
from harness import pods


@pytest.fixture(scope="module", name="kubectl")
def fixture_kubectl(system):
    """Only the API runs."""
    system.cloud.start_api()
    return system.kubectl


def as_list(*objects):
    """The objects as one List."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def test_list_is_applied_and_taken_back(kubectl):
    """[kubectl-list-1] Round trip through YAML."""
    kubectl("apply", "-f", "-", stdin=as_list(pods.config_map("a", x="1"), pods.pod("p", node="nowhere")))
    text = kubectl("get", "configmap/a", "pod/p", "-o", "yaml")
    assert "kind: List" in text
    kubectl("apply", "-f", "-", stdin=text.replace('x: "1"', 'x: "2"'))
    assert kubectl.get("configmap", "a")["data"] == {"x": "2"}


def test_misspelt_field_in_a_list_is_refused(kubectl):
    """[kubectl-list-2] With its name, before anything is changed."""
    wrong = {**pods.config_map("wrong"), "dattta": {"x": "1"}}
    with pytest.raises(KubectlFailed, match='unknown field "dattta"'):
        kubectl("apply", "-f", "-", stdin=as_list(pods.config_map("right"), wrong))
    assert not kubectl.exists("configmap", "wrong")
