"""Python's side of the services' protos, generated when a scenario first asks: `stubs.link` is api/skerry/link/v1."""

import atexit
import functools
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

from cluster.binaries import TOP

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # Children are other programs at once.
import grpc  # noqa: E402  pylint: disable=wrong-import-position

_FILES = {
    "link": "api/skerry/link/v1/link",
    "cloudhub": "api/skerry/cloudhub/v1/spoke_service",
    "command": "api/skerry/cloudhub/v1/command_service",
    "cloud_tunnel": "api/skerry/cloudhub/v1/tunnel_service",
    "edgehub": "api/skerry/edgehub/v1/edgehub_service",
    "edge_tunnel": "api/skerry/edgehub/v1/tunnel_service",
    "meta": "api/skerry/meta/v1/meta_service",
    "report": "api/skerry/edged/v1/report",
    "event": "api/skerry/edged/v1/event",
    "twin": "api/skerry/twin/v1/twin_service",
    "telemetry": "api/skerry/devicecontroller/v1/telemetry_service",
    "device": "api/skerry/devicecontroller/v1/device_service",
    "device_twin": "api/skerry/devicecontroller/v1/device_twin_service",
    "router": "api/skerry/router/v1/router_service",
    "status": "api/google/rpc/status",
    "details": "api/google/rpc/error_details",
}


@functools.lru_cache(maxsize=None)
def _generated():
    folder = tempfile.mkdtemp(prefix="skerry-e2e-stubs-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    protos = [f"{name}.proto" for name in _FILES.values()]
    subprocess.run(["protoc", f"--python_out={folder}", f"--grpc_out={folder}",
                    f"--plugin=protoc-gen-grpc={shutil.which('grpc_python_plugin')}", *protos], cwd=TOP, check=True)
    sys.path.insert(0, folder)
    return folder


def __getattr__(name):
    """The messages of one file, with the stub classes of its services beside them."""
    if name not in _FILES:
        raise AttributeError(name)
    _generated()
    module = importlib.import_module(_FILES[name].replace("/", ".") + "_pb2")
    services = importlib.import_module(_FILES[name].replace("/", ".") + "_pb2_grpc")
    for attribute in dir(services):
        if attribute.endswith("Stub"):
            setattr(module, attribute, getattr(services, attribute))
    return module


def reason(status):
    """Of google.rpc.Status: the reason of its ErrorInfo, "OK", or "" where it gives none."""
    if status.code == 0:
        return "OK"
    info = sys.modules[__name__].details.ErrorInfo()
    return next((info.reason for detail in status.details if detail.Unpack(info)), "")


def reason_of(error):
    """The same, of a call that failed."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    return reason(sys.modules[__name__].status.Status.FromString(details)) if details else ""


def unix_channel(path):
    """A channel to a service of a box."""
    return grpc.insecure_channel(f"unix:{path}", options=_OPTIONS)


def tls_channel(path, ca, certificate, key, name):
    """A channel with mutual TLS through a Unix socket, behind which a proxy dials the server that is called `name`."""
    credentials = grpc.ssl_channel_credentials(ca.read_bytes(), key.read_bytes(), certificate.read_bytes())
    return grpc.secure_channel(f"unix:{path}", credentials,
                               options=[*_OPTIONS, ("grpc.ssl_target_name_override", name)])


# Each channel has a connection of its own, and tries again at once: what is tested is the services' patience.
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 8 << 20),
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
