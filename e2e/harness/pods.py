"""Objects that scenarios apply."""

IMAGE = "skerry.local/busybox:1"


def pod(name, script="sleep 1000000", node="edge-1", **spec):
    """A pod of one container that runs a shell script on a node; ends at once when told to."""
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"trap 'exit 0' TERM; {script} & wait $!"],
        **spec.pop("container", {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 5, "containers": [container], **spec},
    }


def config_map(name, **data):
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


def secret(name, **data):
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"},
            "stringData": data}


def volume_from_config_map(name, path):
    """(volume, mount) of a ConfigMap."""
    return {"name": name, "configMap": {"name": name}}, {"name": name, "mountPath": path}


def volume_from_secret(name, path):
    """(volume, mount) of a Secret."""
    return ({"name": name, "secret": {"secretName": name}}, {"name": name, "mountPath": path, "readOnly": True})
