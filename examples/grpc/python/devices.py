#!/usr/bin/python3
"""Devices from outside, by gRPC with a client certificate or a token. ../README.md says how to run it.

  devices.py health
  devices.py list PARENT
  devices.py watch PARENT SECONDS
  devices.py get DEVICE
  devices.py set DEVICE PROPERTY VALUE [ETAG]
  devices.py call DEVICE METHOD [NAME=VALUE...]

SKERRY_DEVICE_CONTROLLER is host:port, SKERRY_CA, SKERRY_CERT and SKERRY_KEY are PEM files; SKERRY_TOKEN_FILE, where it is
set, has a bearer token, which is sent instead of certificate and key. Exits 1 where a call failed, 2 where the arguments are
wrong.
"""

import os
import sys
from pathlib import Path

import grpc
from api.google.rpc import error_details_pb2, status_pb2
from api.grpc.health.v1 import health_pb2, health_pb2_grpc
from api.skerry.devicecontroller.v1 import (device_service_pb2, device_service_pb2_grpc, device_twin_service_pb2,
                                            device_twin_service_pb2_grpc, method_service_pb2, method_service_pb2_grpc)

PATIENCE = 10  # Seconds; each call has a deadline.
METHOD_PATIENCE = 40  # The device itself has 30 s.


class UsageError(ValueError):
    """The arguments or the environment are not as they should be."""


def _variable(name):
    if name not in os.environ:
        raise UsageError(f"{name} is not set: see .skerry/env")
    return os.environ[name]


def connect():
    """The service shows a certificate, which must be of this CA and name the host that is dialled. We show one, too: who we
    are (CN) and what we may do (O); or a token, which the service asks its Kubernetes API about at every call."""
    address, ca = _variable("SKERRY_DEVICE_CONTROLLER"), Path(_variable("SKERRY_CA")).read_bytes()
    if "SKERRY_TOKEN_FILE" in os.environ:
        token = Path(os.environ["SKERRY_TOKEN_FILE"]).read_text(encoding="ascii").strip()
        return grpc.secure_channel(address, grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(ca), grpc.access_token_call_credentials(token)))
    key, certificate = (Path(_variable(name)).read_bytes() for name in ("SKERRY_KEY", "SKERRY_CERT"))
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, certificate))


def health(channel):
    """Is the service there, and does it take calls?"""
    response = health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(service="skerry.devicecontroller.v1.DeviceService"), timeout=PATIENCE)
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))


def list_devices(channel, parent):
    """All devices of `parent` ("namespaces/default", or "namespaces/-"), page by page."""
    stub = device_service_pb2_grpc.DeviceServiceStub(channel)
    request = device_service_pb2.ListDevicesRequest(parent=parent)
    while True:
        page = stub.ListDevices(request, timeout=PATIENCE)
        for device in page.devices:
            print(f"{device.name} node={device.node} model={device.model} {'enabled' if device.enabled else 'disabled'}")
        request.page_token = page.next_page_token
        if not request.page_token:
            return


def watch(channel, parent, seconds):
    """The devices of `parent` and their changes, for as long as it says; nothing has failed then."""
    stub = device_service_pb2_grpc.DeviceServiceStub(channel)
    try:
        for event in stub.WatchDevices(device_service_pb2.WatchDevicesRequest(parent=parent), timeout=seconds):
            kind = event.WhichOneof("event")  # None: of a kind that is newer than this program.
            if kind == "synced":
                print("synced", flush=True)
            elif kind in ("upserted", "deleted"):
                print(kind, getattr(event, kind).name, flush=True)
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
            raise


def _twin(channel, device):
    stub = device_twin_service_pb2_grpc.DeviceTwinServiceStub(channel)
    return stub.GetDeviceTwin(device_twin_service_pb2.GetDeviceTwinRequest(name=f"{device}/twin"), timeout=PATIENCE)


def get(channel, device):
    """The twin of `device` ("namespaces/default/devices/room-3"): its etag, and what each property should be at and is."""
    twin = _twin(channel, device)
    print("etag", twin.etag)
    for name, entry in sorted(twin.properties.items()):
        desired, reported = (getattr(entry, side).value if entry.HasField(side) else "-" for side in ("desired", "reported"))
        print(f"{name} desired={desired} reported={reported}")


def set_desired(channel, device, name, value, etag=""):
    """Writes a desired value, if none has changed since `etag`; empty: since now."""
    twin = device_twin_service_pb2.DeviceTwin(name=f"{device}/twin", etag=etag or _twin(channel, device).etag)
    twin.properties[name].desired.value = value
    stub = device_twin_service_pb2_grpc.DeviceTwinServiceStub(channel)
    print("etag", stub.UpdateDeviceTwin(device_twin_service_pb2.UpdateDeviceTwinRequest(twin=twin), timeout=PATIENCE).etag)


def call(channel, device, method, *arguments):
    """Calls a method with "name=value" arguments and prints how it ended."""
    wrong = [argument for argument in arguments if "=" not in argument]
    if wrong:
        raise UsageError(f'argument "{wrong[0]}" should be name=value')
    request = method_service_pb2.CallMethodRequest(
        device=device, method=method, arguments=dict(argument.split("=", 1) for argument in arguments),
        delivery=method_service_pb2.MethodCall.DELIVERY_NOW)
    result = method_service_pb2_grpc.MethodServiceStub(channel).CallMethod(request, timeout=METHOD_PATIENCE).result
    print("status", result.status)
    print(result.payload.decode(errors="replace"))


def describe(error):
    """Code, reason and metadata of a call that failed: decide by the first two, show the message to people."""
    reason, metadata = "", {}
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        info = error_details_pb2.ErrorInfo()
        for detail in status_pb2.Status.FromString(value).details:
            if detail.Unpack(info):  # Else it is another kind of detail.
                reason, metadata = f" {info.reason}", dict(info.metadata)
    return "\n".join([f"{error.code().name}{reason}: {error.details()}",
                      *(f"  {key}={value}" for key, value in sorted(metadata.items()))])


def run(words):
    """What the words say."""
    verb, rest = (words[0], words[1:]) if words else ("", [])
    verbs = {"health": (health, 0, 0), "list": (list_devices, 1, 1), "watch": (watch, 2, 2), "get": (get, 1, 1),
             "set": (set_desired, 3, 4), "call": (call, 2, 66)}
    function, least, most = verbs.get(verb, (None, 0, 0))
    if function is None or not least <= len(rest) <= most:
        raise UsageError(__doc__)
    if verb == "watch":
        if not rest[1].isdecimal() or not 1 <= int(rest[1]) <= 86400:
            raise UsageError(f'SECONDS "{rest[1]}" should be a number from 1 to 86400')
        rest[1] = int(rest[1])
    with connect() as channel:
        function(channel, *rest)


def main(words):
    """Returns the program's exit code."""
    try:
        run(words)
    except grpc.RpcError as error:
        print(describe(error), file=sys.stderr)
        return 1
    except (UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
