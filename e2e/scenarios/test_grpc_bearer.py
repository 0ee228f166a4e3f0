"""Tokens of ServiceAccounts on the gRPC ports of the cloud half, from `kubectl create token` to their end."""

import re
import time

import pytest
from cluster import wait
from cluster.binaries import TOP

from harness import stubs
from harness.stubs import grpc

PATIENCE = 20  # Seconds a call may take; a TokenReview has 5.
KNOWN_FOR = 10  # Seconds that an answer of the API is good for.
BEARER = {"auth.bearer.enabled": True,
          "auth.bearer.users": ["system:serviceaccount:shop:billing=skerry:applications",
                                "system:serviceaccount:shop:display=skerry:viewers"],
          "auth.bearer.groups": ["system:serviceaccounts:ops=skerry:operators"]}
LIST_SERVICES = b"\x3a\x00"  # ServerReflectionRequest{list_services: ""}: its Python code is not packaged.


@pytest.fixture(scope="module", name="shop")
def fixture_shop(system):
    """A cloud half that takes tokens, and ServiceAccounts."""
    cloud = system.cloud
    for service in (cloud.hub, cloud.devices, cloud.router):
        service.settings |= BEARER
    cloud.hub.settings["kubeconfig"] = str(cloud.kubeconfigs / "cloudhub.kubeconfig")
    cloud.start()
    for namespace, names in {"shop": ("billing", "display", "stranger"), "ops": ("night-shift",)}.items():
        system.kubectl("create", "namespace", namespace)
        for name in names:
            system.kubectl("create", "serviceaccount", name, "-n", namespace)
    return Shop(system)


class Shop:
    """Programs that have nothing but the CA and a token."""

    def __init__(self, system):
        self.system = system
        self.cloud = system.cloud

    def token(self, account, namespace="shop", audience="skerry"):
        """As an administrator makes one."""
        return self.system.kubectl("create", "token", account, "-n", namespace, f"--audience={audience}",
                                   "--duration=10m").strip()

    def channel(self, service, port="api"):
        """Without a certificate."""
        ca = (self.cloud.clients / "ca.crt").read_bytes()
        return grpc.secure_channel(service.addresses[port], grpc.ssl_channel_credentials(ca),
                                   options=[("grpc.use_local_subchannel_pool", 1)])

    def list_devices(self, *tokens):
        """How the call ended: "OK", or code and reason; then its message."""
        with self.channel(self.cloud.devices) as channel:
            return self._end_of(lambda metadata: stubs.device.DeviceServiceStub(channel).ListDevices(
                stubs.device.ListDevicesRequest(parent="namespaces/default"), metadata=metadata, timeout=PATIENCE), tokens)

    def call_method(self, *tokens):
        """As above."""
        with self.channel(self.cloud.devices) as channel:
            return self._end_of(lambda metadata: channel.unary_unary(
                "/skerry.devicecontroller.v1.MethodService/CallMethod")(b"", metadata=metadata, timeout=PATIENCE), tokens)

    def watch_devices(self, *tokens):
        """As above; up to the first event."""
        with self.channel(self.cloud.devices) as channel:
            return self._end_of(lambda metadata: next(stubs.device.DeviceServiceStub(channel).WatchDevices(
                stubs.device.WatchDevicesRequest(parent="namespaces/default"), metadata=metadata, timeout=PATIENCE)), tokens)

    def services(self, service, *tokens):
        """What reflection lists, or how that ended."""
        with self.channel(service) as channel:
            ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            try:
                return next(ask(iter([LIST_SERVICES]), metadata=_metadata(tokens), timeout=PATIENCE))
            except grpc.RpcError as error:
                return error.code().name

    @staticmethod
    def _end_of(call, tokens):
        try:
            call(_metadata(tokens))
        except grpc.RpcError as error:
            return f"{error.code().name} {stubs.reason_of(error)}", error.details()
        return "OK", ""


def _services():
    """Methods by the full names of their services, of all that we define."""
    found = {}
    for file in (TOP / "api/skerry").rglob("*.proto"):
        text = file.read_text()
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
        for name, body in re.findall(r"^service (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            found[f"{package}.{name}"] = re.findall(r"^  rpc (\w+)\(", body, re.MULTILINE)
    return found


_SERVICES = _services()


def _metadata(tokens):
    return [("authorization", f"Bearer {token}") for token in tokens]


def test_a_token_opens_what_its_user_is_bound_to(shop):
    """[grpc-bearer-1] By user or by group, on every API port, unary calls and streams, and with no certificate."""
    billing = shop.token("billing")
    assert shop.list_devices(billing) == ("OK", "")
    wait.until("a watch to be served", lambda: shop.watch_devices(billing)[0] == "OK", 30, 0.2)
    operator = shop.token("night-shift", namespace="ops")
    for service, name in ((shop.cloud.devices, b"DeviceService"), (shop.cloud.hub, b"AdminService"),
                          (shop.cloud.router, b"RouterService")):
        assert name in shop.services(service, operator)


def test_a_token_opens_nothing_else(shop):
    """[grpc-bearer-2] The refusal names what the caller lacks."""
    end, message = shop.call_method(shop.token("display"))
    assert end == "PERMISSION_DENIED METHOD_DENIED" and "O=skerry:applications" in message
    stranger = shop.token("stranger")
    for call in (shop.list_devices, shop.watch_devices):
        end, message = call(stranger)
        assert end == "PERMISSION_DENIED USER_UNBOUND"
        assert "system:serviceaccount:shop:stranger" in message and "auth.bearer.users" in message
    assert shop.services(shop.cloud.devices, shop.token("billing")) == "PERMISSION_DENIED"
    assert shop.services(shop.cloud.hub, shop.token("billing")) == "PERMISSION_DENIED"


def test_what_is_no_token_of_ours_is_nobody(shop):
    """[grpc-bearer-3] Made up, changed, for somebody else, none, two."""
    good = shop.token("billing")
    changed = good[:-20] + ("A" if good[-20] != "A" else "B") + good[-19:]
    for token in ("made-up", changed, shop.token("billing", audience="another-service")):
        assert shop.list_devices(token)[0] == "UNAUTHENTICATED TOKEN_INVALID"
        assert shop.watch_devices(token)[0] == "UNAUTHENTICATED TOKEN_INVALID"
    assert shop.list_devices(good, good)[0] == "UNAUTHENTICATED TOKEN_INVALID"
    assert shop.list_devices()[0] == "UNAUTHENTICATED CREDENTIALS_MISSING"
    assert shop.services(shop.cloud.devices) == shop.services(shop.cloud.devices, "made-up") == "UNAUTHENTICATED"


def test_no_method_is_without_a_guard(shop):
    """[grpc-bearer-9] Each method of every service on these ports: nobody gets in, whatever its handler does."""
    asked = 0
    read = [(shop.cloud.clients / name).read_bytes() for name in ("ca.crt", "operator.key", "operator.crt")]
    for service in (shop.cloud.devices, shop.cloud.hub, shop.cloud.router):
        with grpc.secure_channel(service.addresses["api"], grpc.ssl_channel_credentials(*read)) as channel:
            served = next(channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")(
                iter([LIST_SERVICES]), timeout=PATIENCE))
        with shop.channel(service) as channel:
            for name, methods in _SERVICES.items():
                for method in methods if name.encode() in served else ():
                    with pytest.raises(grpc.RpcError) as refused:
                        # One message and no more is what a call of any kind may begin with.
                        next(channel.stream_stream(f"/{name}/{method}")(iter([b""]), timeout=PATIENCE))
                    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED, (name, method)
                    asked += 1
    assert asked > 30


def test_certificates_go_on(shop):
    """[grpc-bearer-4] As before, and they count before a token."""
    read = [(shop.cloud.clients / name).read_bytes() for name in ("ca.crt", "operator.key", "operator.crt")]
    with grpc.secure_channel(shop.cloud.devices.addresses["api"], grpc.ssl_channel_credentials(*read)) as channel:
        stubs.device.DeviceServiceStub(channel).ListDevices(stubs.device.ListDevicesRequest(parent="namespaces/-"),
                                                            metadata=_metadata(["made-up"]), timeout=PATIENCE)


def test_links_take_no_tokens(shop):
    """[grpc-bearer-5] A node is its certificate."""
    with shop.channel(shop.cloud.hub, "link") as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/skerry.link.v1.LinkService/Connect")(
                b"", metadata=_metadata([shop.token("night-shift", namespace="ops")]), timeout=5)
    assert refused.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_a_token_ends_with_its_service_account(shop):
    """[grpc-bearer-6] Within the time that an answer is known for; another account of the name is another."""
    shop.system.kubectl("create", "serviceaccount", "night-shift-2", "-n", "ops")
    token = shop.token("night-shift-2", namespace="ops")
    assert shop.list_devices(token)[0] == "OK"
    shop.system.kubectl("delete", "serviceaccount", "night-shift-2", "-n", "ops")
    shop.system.kubectl("create", "serviceaccount", "night-shift-2", "-n", "ops")
    gone = time.monotonic()
    wait.until("the token to be refused", lambda: shop.list_devices(token)[0] == "UNAUTHENTICATED TOKEN_INVALID", 60, 0.2)
    assert time.monotonic() - gone < KNOWN_FOR + 5


def test_nobody_is_let_in_while_the_api_is_away(shop):
    """[grpc-bearer-7] Who cannot be asked about is not refused for good: UNAVAILABLE, and then as before."""
    token = shop.token("billing")
    shop.cloud.api.kill()
    try:
        end, message = shop.list_devices(token)
        assert end == "UNAVAILABLE TOKEN_REVIEW_FAILED" and "Kubernetes API" in message
        assert shop.services(shop.cloud.devices, token) == "UNAVAILABLE"
    finally:
        shop.cloud.api.start()
    wait.until("the token to be taken", lambda: shop.list_devices(token)[0] == "OK", 30, 0.2)


def test_no_token_is_in_a_log(shop):
    """[grpc-bearer-8] Not of one that was taken, nor of one that was refused."""
    token = shop.token("billing")
    assert shop.list_devices(token)[0] == "OK"
    for service in shop.cloud.services:
        log = service.log.read_text()
        assert token not in log and token.rsplit(".", 1)[1] not in log and "made-up" not in log, service.name
