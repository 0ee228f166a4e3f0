"""Every configuration that the chart renders is accepted by the real service, with the pod's environment."""

import os
import subprocess

import pytest

from chart import MATRIX, find, render

SERVICES = ["cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc"]


def _check(binaries, objects, service, folder):
    """Runs the service's own check of what its pod gets; returns (exit code, what it said)."""
    full = next(obj["metadata"]["name"] for obj in objects
                if obj["kind"] == "Deployment" and obj["metadata"]["name"].endswith(f"-{service}"))
    container = find(objects, "Deployment", full)["spec"]["template"]["spec"]["containers"][0]
    (file, text), = find(objects, "ConfigMap", full)["data"].items()
    (folder / file).write_text(text)
    assert container["args"] == [f"--config=/etc/skerry/{file}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    env |= {entry["name"]: entry.get("value", "192.0.2.9") for entry in container.get("env", [])}
    done = subprocess.run([binaries[service], f"--config={folder / file}", "--validate_config"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, env=env)
    return done.returncode, done.stdout


@pytest.mark.parametrize("row", sorted(MATRIX))
def test_the_service_accepts_it(binaries, row, tmp_path):
    """--validate_config of the real program."""
    objects = render(*MATRIX[row])
    for service in SERVICES:
        if service != "router-svc" or MATRIX[row][0].get("router", {}).get("enabled", True):
            code, said = _check(binaries, objects, service, tmp_path)
            assert code == 0, f"{service}: {said}"


def test_a_wrong_setting_of_the_user_is_seen(binaries, tmp_path):
    """The check above is one: it fails where the service would."""
    objects = render({"cloudhub": {"config": {"link": {"thread": 4}}}})
    code, said = _check(binaries, objects, "cloudhub-svc", tmp_path)
    assert code == 2 and "link.thread" in said
