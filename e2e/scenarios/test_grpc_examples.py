"""examples/grpc: the same program in Python and C++, as a user of the API runs it."""

import os
import re
import subprocess
import sys

import pytest
from cluster import wait
from cluster.binaries import TOP

from harness import devices
from harness.stubs import grpc

ROOM, LAMP = "namespaces/default/devices/room-3", "namespaces/default/devices/lamp-3"
EXAMPLE = TOP / "examples/grpc"


@pytest.fixture(scope="module", name="box")
def fixture_box(system):
    """A box whose virtual mapper has a thermometer and a lamp; in the cloud, tokens may look at them."""
    system.cloud.devices.settings |= {"auth.bearer.enabled": True,
                                      "auth.bearer.users": ["system:serviceaccount:default:default=skerry:viewers"]}
    system.cloud.start()
    box = system.make_node("edge-1", runtime=False)
    box.make_mapper("virtual")
    system.add_node("edge-1", runtime=False)
    system.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    for name, values in (("room-3", {"target": "21.00"}), ("lamp-3", {"on": "true"})):
        wait.until(f"{name} to report", lambda name=name, values=values: {
            key: devices.reported(system.kubectl, name).get(key) for key in values} == values, 60, 0.2)
    return box


@pytest.fixture(scope="module", name="generated")
def fixture_generated(tmp_path_factory):
    """What examples/grpc/python/generate writes."""
    folder = tmp_path_factory.mktemp("generated")
    subprocess.run([str(EXAMPLE / "python/generate"), str(folder)], check=True, timeout=60)
    return folder


class Example:
    """One of the two programs, as the operator."""

    def __init__(self, system, command, **environment):
        clients = system.cloud.clients
        self._command = command
        self._environment = {**os.environ, **environment, "SKERRY_DEVICE_CONTROLLER": system.cloud.devices.addresses["api"],
                             "SKERRY_CA": str(clients / "ca.crt"), "SKERRY_CERT": str(clients / "operator.crt"),
                             "SKERRY_KEY": str(clients / "operator.key")}

    def __call__(self, *words, code=0, **environment):
        """What it printed; on its standard error where it is to fail."""
        done = subprocess.run([*self._command, *words], env={**self._environment, **environment}, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stderr if code else done.stdout

    def start(self, *words):
        """It runs until it ends by itself."""
        return subprocess.Popen([*self._command, *words], env=self._environment, text=True, stdout=subprocess.PIPE)


@pytest.fixture(params=["python", "cpp"], name="example")
def fixture_example(request, system, box, generated):
    """Both do and say the same."""
    if request.param == "cpp":
        return Example(system, [str(system.binaries.folder / "examples/grpc/cpp/devices")])
    return Example(system, [sys.executable, str(EXAMPLE / "python/devices.py")], PYTHONPATH=str(generated))


def etag_of(printed):
    """Of what `get` and `set` print."""
    return re.search(r"^etag (\S+)$", printed, re.MULTILINE).group(1)


def test_health_list_and_get(example):
    """[grpc-examples-1] The service serves; every device with its node; both sides of a twin."""
    assert example("health") == "SERVING\n"
    assert example("list", "namespaces/default") == (f"{LAMP} node=edge-1 model=virtual-switch enabled\n"
                                                     f"{ROOM} node=edge-1 model=virtual-thermometer enabled\n")
    assert "\ntarget desired=" in example("get", ROOM)


def await_line(stream, wanted):
    """The lines up to `wanted`, which must come before the program ends."""
    lines = []
    for line in stream:
        lines.append(line.strip())
        if lines[-1] == wanted:
            return lines
    raise AssertionError(f"no line {wanted!r} in {lines}")


def test_a_watch_tells_all_devices_and_then_changes(system, example):
    """[grpc-examples-2] Until its time is over, which is no error."""
    visitor = "namespaces/default/devices/visitor"
    watch = example.start("watch", "namespaces/default", "90")
    try:
        assert {f"upserted {LAMP}", f"upserted {ROOM}"} <= set(await_line(watch.stdout, "synced"))
        system.kubectl.apply(devices.device("visitor", "virtual-switch", "edge-2"))
        await_line(watch.stdout, f"upserted {visitor}")
        system.kubectl("delete", "device", "visitor")
        await_line(watch.stdout, f"deleted {visitor}")
    finally:
        watch.kill()
        watch.wait(20)
        watch.stdout.close()
    assert "synced\n" in example("watch", "namespaces/default", "2")


def test_an_old_etag_is_refused_with_what_has_changed(example):
    """[grpc-examples-3] The refusal's ErrorInfo says what there is now, who wrote it and what was not written."""
    before = etag_of(example("get", ROOM))
    present = "23" if "target desired=22 " in example("get", ROOM) else "22"
    after = etag_of(example("set", ROOM, "target", present, before))
    assert after != before
    refused = example("set", ROOM, "target", "24", before, code=1)
    assert refused.startswith("ABORTED DESIRED_CHANGED: ")
    for line in ("property=target", f"value={present}", "refused_value=24", "writer=skerry:operator"):
        assert f"\n  {line}\n" in refused
    assert f"target desired={present} " in example("get", ROOM)
    assert etag_of(example("set", ROOM, "target", "20")) != after, "which reads the etag itself"


def test_what_the_model_does_not_allow_is_refused(example):
    """[grpc-examples-4] Code and reason are those of docs/reference/errors.md."""
    assert example("set", ROOM, "target", "warm", code=1).startswith("INVALID_ARGUMENT VALUE_TYPE: ")
    assert example("set", ROOM, "target", "99", code=1).startswith("INVALID_ARGUMENT VALUE_RANGE: ")
    assert example("set", ROOM, "temperature", "1", code=1).startswith("FAILED_PRECONDITION READ_ONLY: ")
    assert example("get", f"{ROOM}9", code=1).startswith("NOT_FOUND DEVICE_UNKNOWN: ")


def test_a_method_is_called(example):
    """[grpc-examples-5] The device's own status and answer."""
    first, second = example("call", LAMP, "toggle"), example("call", LAMP, "toggle")
    assert {first, second} == {"status 200\ntrue\n", "status 200\nfalse\n"}


def test_who_may_not_is_told_so(system, example):
    """[grpc-examples-6] The organization of the certificate decides."""
    clients = system.cloud.clients
    refused = example("list", "namespaces/default", code=1, SKERRY_CERT=str(clients / "edge-controller.crt"),
                      SKERRY_KEY=str(clients / "edge-controller.key"))
    assert refused.startswith("PERMISSION_DENIED METHOD_DENIED: ") and "O=skerry:viewers" in refused


def test_a_token_is_as_good_as_a_certificate(system, example, tmp_path):
    """[grpc-examples-9] SKERRY_TOKEN_FILE instead of certificate and key."""
    file = tmp_path / "token"
    token = {"SKERRY_TOKEN_FILE": str(file)}
    file.write_text(system.kubectl("create", "token", "default", "--audience=skerry"))
    assert ROOM in example("list", "namespaces/default", **token)
    assert example("call", LAMP, "toggle", code=1, **token).startswith("PERMISSION_DENIED METHOD_DENIED: ")
    file.write_text("made-up\n")
    assert example("list", "namespaces/default", code=1, **token).startswith("UNAUTHENTICATED TOKEN_INVALID: ")


def test_wrong_arguments_are_no_call(example):
    """[grpc-examples-7]"""
    example("paint", code=2)
    assert '"soon"' in example("watch", "namespaces/default", "soon", code=2)
    assert "name=value" in example("call", LAMP, "toggle", "now", code=2)


def test_reflection_names_the_services(system, box):
    """[grpc-examples-8] For operators."""
    read = [(system.cloud.clients / name).read_bytes() for name in ("ca.crt", "operator.key", "operator.crt")]
    with grpc.secure_channel(system.cloud.devices.addresses["api"], grpc.ssl_channel_credentials(*read)) as channel:
        ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        list_services = b"\x3a\x00"  # ServerReflectionRequest{list_services: ""}: its Python code is not packaged.
        answer = next(ask(iter([list_services]), timeout=20))
    for service in (b"DeviceService", b"DeviceTwinService", b"MethodService", b"TelemetryService"):
        assert b"skerry.devicecontroller.v1." + service in answer
