"""No field of a Kubernetes kind is misspelt or of the wrong type: also of kinds that standalone-api-svc does not have.

The schema is that of Kubernetes' own Python client (its models are generated from the API's OpenAPI).
"""

import re

import pytest
from kubernetes.client import models

from chart import find, render

SCALARS = {"str": str, "bool": bool, "int": int, "float": (int, float), "datetime": str}


def _model(version, kind):
    """The client's model of a kind; None for what is no kind of Kubernetes itself."""
    return getattr(models, f"{version.rpartition('/')[2].capitalize()}{kind}", None)


def _problems(value, declared, path):
    """What is wrong with a value of a declared type ("str", "list[V1Container]", "dict(str, str)", "V1PodSpec")."""
    inner = re.fullmatch(r"list\[(.*)\]", declared)
    if inner:
        if not isinstance(value, list):
            return [f"{path}: not a list"]
        return [found for index, item in enumerate(value) for found in _problems(item, inner[1], f"{path}[{index}]")]
    inner = re.fullmatch(r"dict\(str, (.*)\)", declared)
    if inner:
        if not isinstance(value, dict):
            return [f"{path}: not a map"]
        return [found for key, item in value.items() for found in _problems(item, inner[1], f"{path}.{key}")]
    if declared == "object":  # Also int-or-string.
        return []
    if declared in SCALARS:
        wrong = not isinstance(value, SCALARS[declared]) or (isinstance(value, bool) and declared != "bool")
        return [f"{path}: {value!r} is not {declared}"] if wrong else []
    model = getattr(models, declared)
    if not isinstance(value, dict):
        return [f"{path}: not an object"]
    types = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    return [found for key, item in value.items() for found in (
        _problems(item, types[key], f"{path}.{key}") if key in types else [f"{path}.{key}: no such field"])]


def test_every_field_is_of_the_api(objects):
    """All objects; those that others define (cert-manager, Prometheus' operator) are counted out by group."""
    for obj in objects:
        model = _model(obj["apiVersion"], obj["kind"])
        if model is None:
            assert obj["apiVersion"] in ("cert-manager.io/v1", "monitoring.coreos.com/v1")
            continue
        found = _problems(obj, model.__name__, f"{obj['kind']} {obj['metadata']['name']}")
        assert not found


@pytest.mark.parametrize("change, told", [
    (lambda spec: spec.update(replica=2), "spec.replica: no such field"),
    (lambda spec: spec.update(replicas="2"), "spec.replicas: '2' is not int"),
    (lambda spec: spec["template"]["spec"]["containers"][0].update(securitContext={}), "securitContext: no such field"),
])
def test_mistakes_are_seen(change, told):
    """The check above is one."""
    deployment = find(render(), "Deployment", "site-skerry-cloud-cloudhub-svc")
    change(deployment["spec"])
    found = _problems(deployment, "V1Deployment", "Deployment")
    assert len(found) == 1 and told in found[0]
