"""The chart, rendered by the real helm."""

import os
import subprocess
from pathlib import Path

import yaml
from cluster.binaries import tool

TOP = Path(__file__).resolve().parents[2]
CHART = TOP / "charts/skerry-cloud"
CERT_MANAGER = "cert-manager.io/v1"
PROMETHEUS = "monitoring.coreos.com/v1"

# What is rendered in all tests that hold for every value: name -> (values, API versions of the cluster).
MATRIX = {
    "defaults": ({}, []),
    "cert-manager": ({"deviceController": {"hosts": ["devices.example.com", "192.0.2.7"]}}, [CERT_MANAGER, PROMETHEUS]),
    "node-port": ({"cloudhub": {"replicas": 1, "advertise": "192.0.2.1:30000", "hosts": ["192.0.2.1", "hub.example.com"],
                                "service": {"type": "NodePort", "nodePorts": {"link": 30000, "join": 30002}}},
                   "edgeController": {"replicas": 1, "kubelet": {"enabled": False}}}, []),
    "external": ({"database": {"mode": "external", "existingSecret": "database", "key": "uri"},
                  "image": {"registry": "registry.example.com", "tag": "1.2.3", "pullSecrets": ["pull"]},
                  "router": {"tokensSecret": "tokens", "config": {"delivery": {"targets": ["https://shop.example/in"]}}},
                  "auth": {"bearer": {"enabled": True, "users": ["system:serviceaccount:shop:billing=skerry:applications"]}},
                  "networkPolicy": {"monitoring": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
                                    "operators": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
                                    "callers": [{"podSelector": {"matchLabels": {"app": "shop"}}}]}}, [PROMETHEUS]),
    "small": ({"router": {"enabled": False}, "networkPolicy": {"enabled": False}, "crds": {"upgrade": False},
               "monitoring": {"dashboards": {"enabled": False}}, "fullnameOverride": "edge", "logLevel": "debug",
               "pki": {"mode": "existing"},
               "cloudhub": {"service": {"type": "ClusterIP"}, "config": {"link": {"connections_max": 100}},
                            "nodeSelector": {"pool": "cloud"}, "tolerations": [{"operator": "Exists"}],
                            "podAnnotations": {"team": "edge"}}}, []),
}


class HelmFailed(RuntimeError):
    """helm exited with an error; the message has what it said."""


def helm(*arguments, values=None, env=None):
    """Runs helm; `values` go to its standard input, as -f -."""
    given = [] if values is None else ["-f", "-"]
    done = subprocess.run([tool("helm"), *arguments, *given], input=yaml.safe_dump(values or {}), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise HelmFailed(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def render(values=None, versions=(), namespace="skerry", release="site", upgrade=False, kubernetes="1.33.0"):
    """All objects of the release, hooks and tests too, as dicts."""
    extra = [flag for version in versions for flag in ("--api-versions", version)] + (["--is-upgrade"] if upgrade else [])
    text = helm("template", release, str(CHART), "--namespace", namespace, "--kube-version", kubernetes, *extra,
                values=values or {})
    return [obj for obj in yaml.safe_load_all(text) if obj]


def find(objects, kind, name):
    """The one object of that kind and name."""
    found = [obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name]
    assert len(found) == 1, f"{kind} {name}: {len(found)} in {[(o['kind'], o['metadata']['name']) for o in objects]}"
    return found[0]


def pods(objects):
    """(name, labels, pod spec) of whatever runs pods."""
    for obj in objects:
        kind, spec, name = obj["kind"], obj.get("spec", {}), f"{obj['kind']} {obj['metadata']['name']}"
        if kind == "Pod":
            yield name, obj["metadata"]["labels"], spec
            continue
        if kind == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if kind in ("Deployment", "StatefulSet", "Job", "CronJob"):
            yield name, spec["template"]["metadata"]["labels"], spec["template"]["spec"]
