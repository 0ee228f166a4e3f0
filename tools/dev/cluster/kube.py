"""kubectl against the cluster's API, with a configuration and a cache of its own."""

import json
import subprocess

from . import binaries, wait
from .host import HOST


class KubectlFailed(RuntimeError):
    """kubectl exited with an error; the message has what it said."""


class Kubectl:
    """Runs kubectl as the cluster's administrator, or as whoever `kubeconfig` names."""

    def __init__(self, kubeconfig, cache, host=HOST):
        self._base = host.command(binaries.kubectl(), f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}",
                                  "--request-timeout=20s")

    def __call__(self, *arguments, stdin=None, check=True, timeout=60):
        """Runs kubectl and returns its standard output."""
        try:
            done = subprocess.run([*self._base, *arguments], input=stdin, text=True, timeout=timeout, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: no answer in {timeout} s") from error
        if check and done.returncode != 0:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def apply(self, *objects):
        """kubectl apply of objects (dicts)."""
        return self("apply", "-f", "-", stdin="\n".join(json.dumps(obj) for obj in objects))

    def get(self, resource, name=None, namespace="default"):
        """One object, or all of a kind, as kubectl shows them in JSON; KubectlFailed if there is none."""
        arguments = ["get", resource, *([name] if name else []), "-n", namespace, "-o", "json"]
        return json.loads(self(*arguments))

    def exists(self, resource, name, namespace="default"):
        """Whether there is such an object."""
        return self("get", resource, name, "-n", namespace, "--ignore-not-found", "-o", "name").strip() != ""

    def wait_for(self, resource, name, what, condition, timeout=60.0, namespace="default"):
        """Polls an object until `condition(object)` holds, and returns the object."""
        last = {}

        def holds():
            last["object"] = self.get(resource, name, namespace)
            return condition(last["object"]) and last["object"]

        try:
            return wait.until(f"{resource}/{name} {what}", holds, timeout, 0.2)
        except wait.TimedOut as error:
            status = json.dumps(last.get("object", {}).get("status"), indent=1)
            raise wait.TimedOut(f"{error.args[0][:300]}\nits status: {status}") from None


def condition(obj, kind):
    """The status ("True", "False", "Unknown") of a condition; None where it has none."""
    for entry in obj.get("status", {}).get("conditions", []):
        if entry["type"] == kind:
            return entry["status"]
    return None


def container(pod, name=None, init=False):
    """The status of a container, by default the first."""
    statuses = pod.get("status", {}).get("initContainerStatuses" if init else "containerStatuses", [])
    for status in statuses:
        if name is None or status["name"] == name:
            return status
    return {}
