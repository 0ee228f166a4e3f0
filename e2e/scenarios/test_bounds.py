"""What is too large is refused at every gRPC port and by HTTP, and the service goes on."""

import http.client
import ssl

import pytest
from cluster import wait
from harness import stubs
from harness.kube_http import client_context
from harness.proxy import Proxy
from harness.stubs import grpc

_TOO_LARGE = bytes(16 << 20)
_DIALS = 20  # At once: faster than five a second are forgotten.


@pytest.fixture(scope="module", name="node")
def fixture_node(system):
    """One node, with a runtime: edged-svc is among those that are asked."""
    system.cloud.start()
    return system.add_node("edge-1")


def check(channel, request):
    """gRPC's health service, which every server has: what it answers to these bytes."""
    call = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=None, response_deserializer=None)
    return call(request, timeout=20)


def expect_refusal(channel):
    """[L8] RESOURCE_EXHAUSTED, and then it serves as before."""
    try:
        wait.until("it to serve", lambda: check(channel, b"") == b"\x08\x01")
        with pytest.raises(grpc.RpcError) as refused:
            check(channel, _TOO_LARGE)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, refused.value
        assert check(channel, b"") == b"\x08\x01"
    finally:
        channel.close()


@pytest.mark.parametrize("socket", ["edgehub", "edge-meta", "edged"])
def test_a_service_of_the_box_refuses_what_is_too_large(node, socket):
    """[bounds-1] L8."""
    pids = [service.pid for service in node.services]
    expect_refusal(stubs.unix_channel(node.run_dir / f"{socket}.sock"))
    assert pids == [service.pid for service in node.services]


@pytest.fixture(name="hub_channel")
def fixture_hub_channel(system, node):
    """Opens a channel of its own to a port of the hub, as a box ("node") or as a controller."""
    cloud, relays, channels = system.cloud, {}, []

    def open_channel(port, as_node):
        path = system.folder / f"{port}.sock"
        if port not in relays:
            relays[port] = Proxy(cloud.host, f"unix:{path}", cloud.hub.addresses[port])
        certificate, key = (node.identity, node.identity) if as_node else (
            cloud.clients / "edge-controller.crt", cloud.clients / "edge-controller.key")
        channels.append(stubs.tls_channel(path, cloud.clients / "ca.crt", certificate, key, "localhost"))
        return channels[-1]

    yield open_channel
    for opened in (*channels, *relays.values()):
        opened.close()


@pytest.mark.parametrize("port, as_node", [("link", True), ("api", False)])
def test_the_hub_refuses_what_is_too_large(system, hub_channel, port, as_node):
    """[bounds-2] L8: from a box, and from a controller."""
    pid = system.cloud.hub.pid
    expect_refusal(hub_channel(port, as_node))
    assert system.cloud.hub.pid == pid


def logged(service, *words):
    """Whether a line of a service's log has all of these."""
    return any(all(word in line for word in words) for line in service.log.read_text().splitlines())


def test_the_hub_refuses_too_many_frames_in_one(system, hub_channel):
    """[bounds-5] L8; link-7.3: the controller is told why, and so is who reads the hub's log; other controllers stay."""
    hub, controller = system.cloud.hub, system.cloud.controller
    frame = stubs.cloudhub.SpokeFrame
    attached = hub.metric("skerry_cloudhub_spokes")
    register = frame(register={"spoke": "e2e", "resource_types": ["none"]})
    register.following.extend(frame() for _ in range(256))
    with pytest.raises(grpc.RpcError) as refused:
        list(stubs.cloudhub.SpokeServiceStub(hub_channel("api", False)).Attach(iter([register]), timeout=20))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert stubs.reason_of(refused.value) == "BUNDLE_INVALID"
    wait.until("the hub to log it", lambda: logged(hub, "spoke cut off", "BUNDLE_INVALID"))
    assert hub.metric("skerry_cloudhub_spokes") == attached
    wait.until("the controller to be ready", controller.ready)


def test_who_is_no_node_and_dials_in_a_loop_is_paced(system, node, hub_channel):
    """[bounds-6] L5: a certificate that is good for the API is none of a node; the connected node stays."""
    hub = system.cloud.hub
    before = hub.metric("skerry_cloudhub_refusals_total", reason="IDENTITY")
    frame = stubs.link.EdgeFrame(hello={"protocol_version": 1, "boot_id": "boot", "journal_id": "journal"})

    def dial():
        calls = [stubs.link.LinkServiceStub(hub_channel("link", False)).Connect(iter([frame]), timeout=20)
                 for _ in range(_DIALS)]
        assert {call.code() for call in calls} == {grpc.StatusCode.PERMISSION_DENIED}
        return hub.metric("skerry_rpc_listener_paced_addresses") == 1

    wait.until("its address to be paced", dial, 60, interval=0)
    assert hub.metric("skerry_cloudhub_refusals_total", reason="IDENTITY") - before > 50
    assert node.edgehub.metric("skerry_edgehub_link_connected") == 1
    wait.until("the pace to end", lambda: hub.metric("skerry_rpc_listener_paced_addresses") == 0, 30)


def test_ops_ports_refuse_headers_that_are_too_large(system, node):
    """[bounds-3] L8: of every service of both halves."""
    del node
    for _, service in system.services():
        pid = service.pid
        connection = http.client.HTTPConnection(service.addresses["ops"], timeout=20)
        try:
            connection.request("GET", "/metrics", headers={"X-Large": "x" * (256 << 10)})
            assert connection.getresponse().status == 431, service.name
        except ConnectionError:
            pass  # It was answered, and closed, while the rest was on its way.
        finally:
            connection.close()
        wait.until(f"{service.name} to serve", service.ready)
        assert service.pid == pid, service.name


@pytest.mark.parametrize("port, path, status", [("join", "/v1/time", 200), ("api", "/version", 200),
                                                ("kubelet", "/nothing", 403)])
def test_https_ports_refuse_bodies_that_are_too_large(system, node, port, path, status):
    """[bounds-4] L8: the body is refused before it comes; then it serves as before. A box without a certificate asks at the
    join port, an administrator of the cluster at the others."""
    del node
    cloud = system.cloud
    service = {"join": cloud.hub, "api": cloud.api, "kubelet": cloud.controller}[port]
    pid = service.pid
    context = ssl.create_default_context() if port == "join" else client_context(cloud.admin_kubeconfig)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def ask(method, **headers):
        connection = http.client.HTTPSConnection(service.addresses[port], timeout=20, context=context)
        try:
            connection.putrequest(method, path)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    assert ask("POST", Content_Length=str(len(_TOO_LARGE))) == 413
    assert ask("GET") == status
    assert service.pid == pid
