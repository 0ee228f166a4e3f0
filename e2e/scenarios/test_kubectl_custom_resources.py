"""The real kubectl: kinds that CustomResourceDefinitions declare."""

import json

import pytest
from harness.kubectl import fixture_kubectl, fixture_space  # noqa: F401  pylint: disable=unused-import
from harness.kubectl import columns, refused

BUOY_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "buoys.sea.example.org"},
    "spec": {
        "group": "sea.example.org",
        "names": {"plural": "buoys", "singular": "buoy", "kind": "Buoy", "shortNames": ["by"]},
        "scope": "Namespaced",
        "versions": [{
            "name": "v1",
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "additionalPrinterColumns": [
                {"name": "Depth", "type": "integer", "jsonPath": ".spec.depth"},
                {"name": "Lit", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Lit\")].status"},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            ],
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": {
                        "type": "object",
                        "required": ["depth"],
                        "properties": {
                            "depth": {"type": "integer", "minimum": 1, "maximum": 100},
                            "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
                            "tag": {"type": "string", "pattern": "^[a-z]+$"},
                            "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "weights": {"type": "object", "additionalProperties": {"type": "number"}},
                        },
                    },
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }},
        }],
    },
}


@pytest.fixture(name="buoys")
def fixture_buoys(kubectl):
    """The definition of buoys, gone with all buoys after the test."""
    kubectl.apply(BUOY_CRD)
    kubectl("wait", "--for=condition=Established", "crd/buoys.sea.example.org", "--timeout=10s")
    yield
    kubectl("delete", "crd", "buoys.sea.example.org", "--timeout=20s")
    said = refused(kubectl, "get", "buoys")  # The first from kubectl's cache of discovery, the second without it.
    assert "could not find the requested resource" in said or "doesn't have a resource type" in said


def buoy(**spec):
    """A buoy."""
    return {"apiVersion": "sea.example.org/v1", "kind": "Buoy", "metadata": {"name": "north"}, "spec": spec}


def test_custom_resources(kubectl, space, buoys):  # pylint: disable=unused-argument
    def apply(obj):
        return kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(obj))

    apply(buoy(depth=10, weights={"a": 1.5}, extra={"anything": {"goes": [1]}}))
    stored = kubectl.get("buoy", "north", space)
    assert stored["spec"]["colour"] == "red" and stored["spec"]["extra"] == {"anything": {"goes": [1]}}
    assert stored["metadata"]["generation"] == 1
    kubectl("patch", "buoy", "north", "-n", space, "--subresource=status", "--type=merge", "-p",
            '{"status":{"conditions":[{"type":"Lit","status":"True"}]}, "spec":{"depth":99}}')
    after = kubectl.get("by", "north", space)
    assert after["spec"]["depth"] == 10 and after["metadata"]["generation"] == 1
    header, rows = columns(kubectl("get", "by", "-n", space))
    assert header == ["NAME", "DEPTH", "LIT", "AGE"] and rows["north"][:3] == ["north", "10", "True"]
    apply(buoy(depth=20))
    after = kubectl.get("buoy", "north", space)
    assert after["metadata"]["generation"] == 2 and after["status"]["conditions"][0]["type"] == "Lit"
    assert "extra" not in after["spec"]
    assert "depth" in kubectl("explain", "buoy.spec")


@pytest.mark.parametrize("spec, words", [
    ({}, "spec.depth: Required value"),
    ({"depth": 0}, "spec.depth in body should be greater than or equal to 1"),
    ({"depth": "deep"}, "spec.depth in body must be of type integer"),
    ({"depth": 1, "colour": "blue"}, 'Unsupported value: "blue": supported values: "red", "green"'),
    ({"depth": 1, "tag": "A1"}, "spec.tag in body should match '^[a-z]+$'"),
    ({"depth": 1, "weights": {"a": "x"}}, "spec.weights.a in body must be of type number"),
    ({"depth": 1, "unknown": 1}, 'unknown field "spec.unknown"'),
])
def test_custom_resources_are_validated(kubectl, space, buoys, spec, words):  # pylint: disable=unused-argument
    assert words in refused(kubectl, "apply", "-n", space, "-f", "-", stdin=json.dumps(buoy(**spec)))


def test_unknown_fields_are_pruned_without_strictness(kubectl, space, buoys):  # pylint: disable=unused-argument
    kubectl("apply", "--validate=warn", "-n", space, "-f", "-", stdin=json.dumps(buoy(depth=1, unknown=1)))
    assert "unknown" not in kubectl.get("buoy", "north", space)["spec"]
