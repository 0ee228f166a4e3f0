"""The chart in a Kubernetes cluster, and a box that joins it: docs/ops/cluster.md, followed to the letter."""

import base64
import json
import re
from pathlib import Path

import pytest
from cluster import wait
from cluster.binaries import TOP
from cluster.kube import KubectlFailed, condition, container
from harness import devices, handbook, pods, stubs
from harness.compose import NODE, Relay
from harness.helm import NAME, NAMESPACE, RELEASE, CHART, HelmSystem
from harness.stubs import grpc

SERVICES = {"cloudhub-svc": 2, "edge-controller-svc": 2, "device-controller-svc": 2, "router-svc": 1}
KEPT_SECRETS = [f"{NAME}-{end}" for end in ("ca", "device-controller-tls", "edge-controller-tls", "operator-tls", "postgres", "router-tls")]
APP = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}, "spec": {
    "replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"type": "Recreate"}}}


@pytest.fixture(scope="module", name="system")
def fixture_system(request):
    """A cluster with the chart in it, and a machine that is to be its box."""
    system = HelmSystem(request.module.__name__)
    try:
        system.start()
        system.notes = system.install()
        yield system
    finally:
        system.close()


@pytest.fixture(scope="module", name="joined")
def fixture_joined(system):
    """The same, with the box in it."""
    system.join()
    # Where tests run, the disk may be nearly full, and the scheduler would keep away.
    system.box.run("tee", "--append", "/etc/skerry/edged.yaml",
                   stdin="disk_pressure: {available_percent_min: 0, images_available_percent_min: 0}\n")
    system.box_up(by=2)
    system.start_mapper()
    system.wait_ready()
    return system


def app(greeting):
    """The Deployment: its pod says something and serves it on its localhost."""
    pod = pods.pod("web", f"mkdir -p /srv; echo {greeting} | tee /srv/greeting; httpd -f -p 127.0.0.1:8080 -h /srv")
    spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
    return {**APP, "spec": {**APP["spec"], "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
        **spec, "nodeSelector": {"kubernetes.io/hostname": NODE, "node-role.kubernetes.io/edge": ""},
        # However long the box is away.
        "tolerations": [{"key": f"node.kubernetes.io/{key}", "operator": "Exists"} for key in ("unreachable", "not-ready")]}}}}


def app_pod(system):
    """The one pod of the Deployment, once it is ready."""
    def ready():
        found = json.loads(system.kubectl("get", "pods", "--selector=app=web", "-o", "json"))["items"]
        return len(found) == 1 and container(found[0]).get("ready") and found[0]
    return wait.until("the Deployment's pod to be ready", ready, 90, 0.3)


def check_streams(system, greeting):
    """Logs, exec and port-forward through the cluster's API server."""
    name = app_pod(system)["metadata"]["name"]
    assert wait.until("the log", lambda: system.kubectl("logs", name), 30) == f"{greeting}\n"
    assert system.kubectl("exec", name, "--", "cat", "/srv/greeting") == f"{greeting}\n"
    assert wait.until("the server", lambda: system.fetch_through(name, 8080, "greeting"), 30) == f"{greeting}\n"


def await_reported(system, **values):
    """Until these values of the mapper's device are in its DeviceStatus."""
    wait.until(f"the device to report {values}", lambda: {
        key: devices.reported(system.kubectl, "room-3").get(key) for key in values} == values, 60, 0.3)


def check_release(system):
    """All pods are ready; `helm test` says that all is well."""
    for service, count in SERVICES.items():
        system.wait_ready_pods(service, count)
    said = system.helm("test", RELEASE, "--logs", "--timeout=60s")
    assert "Phase:          Succeeded" in said and "failed" not in said
    assert len(set(re.findall(r"^ok: .*$", said, re.M))) == 7


def restarts(system):
    """How often each container of the release's namespace was started again, with what it said before it ended."""
    found = {}
    for pod in system.kubectl.get("pods", namespace=NAMESPACE)["items"]:
        name = pod["metadata"]["name"]
        for status in pod["status"].get("containerStatuses", []):
            if status["restartCount"] > 0:
                found[name] = (status["restartCount"], system.kubectl("-n", NAMESPACE, "logs", "--previous", "--tail=3", name, check=False))
    return found


def test_install(system):
    """All that the chart has stands, made by its jobs where they make it; nothing of the hooks is left but what the cluster needs. No
    service was started again: those that are there before the database wait for it."""
    check_release(system)
    assert restarts(system) == {}
    assert [each for each in system.kubectl.get("jobs", namespace=NAMESPACE)["items"] if not each["metadata"].get("ownerReferences")] == []
    assert f"https://{system.cloud.address}:30002" in system.notes
    for name in system.kubectl("get", "crds", "-o", "name").split():
        assert condition(system.kubectl.get(name), "Established") == "True"
    assert system.kubectl("-n", NAMESPACE, "get", "poddisruptionbudgets", "-o", "name").count("/") == 3


def check_nothing_was_refused(system):
    """No service has asked the API server for what it has no right to. While one starts it refuses what it has not read the roles for yet, to
    the cluster's own parts, too: what was before it was ready does not count."""
    for service in SERVICES:
        for pod in system.pods(service):
            name = pod["metadata"]["name"]
            logs = [system.kubectl("-n", NAMESPACE, "logs", name)]
            if container(pod)["restartCount"] > 0:
                logs.append(system.kubectl("-n", NAMESPACE, "logs", "--previous", name))
            refused = [line for log in logs for line in log.splitlines() if "orbidden" in line]
            assert not [line for line in refused if json.loads(line)["time"] > system.kubernetes.api_ready_time], name


def test_rights_end_where_the_chart_says(system):
    """What services do without is refused."""
    for service, question in (("cloudhub-svc", "get pods"), ("edge-controller-svc", "create secrets"), ("edge-controller-svc", "create pods"),
                              ("device-controller-svc", "get secrets"), ("device-controller-svc", "list pods"), ("router-svc", "list secrets")):
        user = f"system:serviceaccount:{NAMESPACE}:{NAME}-{service}"
        said = system.kubectl("auth", "can-i", *question.split(), f"--as={user}", "-n", "kube-system", check=False)
        assert said.strip() == "no", f"{service} may {question}"


def test_a_deployment_runs_on_the_box(joined):
    """The cluster's own scheduler and controllers place it, replace it, and kubectl gets at it."""
    joined.kubectl.apply(app("hello"))
    check_streams(joined, "hello")
    joined.kubectl.apply(app("good-bye"))
    joined.kubectl("rollout", "status", "deployment/web", "--timeout=60s", timeout=90)
    check_streams(joined, "good-bye")


def test_devices(joined):
    """The device obeys kubectl and reports; what the definitions forbid, the API server refuses."""
    joined.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    await_reported(joined, target="21.00")
    devices.desire(joined.kubectl, "room-3", "target", "25")
    await_reported(joined, target="25.00")
    wrong = devices.device("wrong", "virtual-room", NODE, protocol="virtual")
    wrong["spec"]["properties"] = [{"name": "target", "reportCycle": "often"}]
    with pytest.raises(KubectlFailed, match="reportCycle"):
        joined.kubectl.apply(wrong)


def taints(system):
    """Keys of the Node's taints."""
    return {taint["key"] for taint in system.kubectl.get("node", NODE)["spec"].get("taints", [])}


def test_a_cut_of_the_boxs_network(joined):
    """The cluster sees it, and taints the Node; when the box is back, its pod is what it was."""
    before = app_pod(joined)
    joined.box.network.drop()
    joined.wait_ready("Unknown")
    wait.until("the taint", lambda: "node.kubernetes.io/unreachable" in taints(joined), 60)
    joined.box.network.heal()
    joined.wait_ready()
    wait.until("the taint to go", lambda: not taints(joined), 60)
    after = app_pod(joined)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert container(after)["containerID"] == container(before)["containerID"]
    assert container(after)["restartCount"] == 0
    check_streams(joined, "good-bye")


def await_published(system):
    """Until the Node has the leader's address for the API server, and the box's own after it; nothing else."""
    def published():
        name = leader(system)
        pod = next(pod for pod in system.pods("edge-controller-svc") if pod["metadata"]["name"] in name)
        address = pod["status"]["podIP"]
        found = [(each["type"], each["address"]) for each in system.kubectl.get("node", NODE)["status"]["addresses"]]
        if found != [("Hostname", address), ("InternalIP", address), ("InternalIP", system.box.address)]:
            raise RuntimeError(f"{found}, and {address} leads")
        return True
    wait.until("the Node's addresses", published, 60)


def leader(system):
    """Who leads edge-controller-svc; the pod's name is a part of it."""
    return system.kubectl.get("lease", f"{NAME}-edge-controller-svc", NAMESPACE)["spec"]["holderIdentity"]


def test_the_leader_goes(joined):
    """Another replica leads, at another address, and kubectl finds the box through it."""
    await_published(joined)
    first = leader(joined)
    name = next(pod["metadata"]["name"] for pod in joined.pods("edge-controller-svc") if pod["metadata"]["name"] in first)
    joined.kubectl("-n", NAMESPACE, "delete", "pod", name, "--grace-period=0", "--force", "--wait=false")
    wait.until("another leader", lambda: leader(joined) not in ("", first), 60)
    wait.until("exec", lambda: joined.kubectl("exec", "deployment/web", "--", "cat", "/srv/greeting", timeout=15) == "good-bye\n", 60, 0.5)
    await_published(joined)
    joined.wait_ready()


def test_the_api_server_goes_and_forgets(joined):
    """It is killed, and what watches could go on from is compacted away: controllers take everything anew, and work goes on."""
    check_nothing_was_refused(joined)
    joined.kubernetes.kill_api()
    joined.kubernetes.compact()
    joined.kubernetes.start_api()
    devices.desire(joined.kubectl, "room-3", "target", "22")
    await_reported(joined, target="22.00")
    joined.kubectl.apply(app("again"))
    joined.kubectl("rollout", "status", "deployment/web", "--timeout=60s", timeout=90)
    check_streams(joined, "again")


def test_upgrade(joined):
    """Settings change, a definition that is older is brought up to date, replicas are replaced one by one, the box stays."""
    joined.kubectl("patch", "crd", "devices.devices.kubeedge.io", "--type=json", "-p", json.dumps(
        [{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/properties"}]))
    joined.kubectl("create", "namespace", "shop")
    joined.kubectl("create", "serviceaccount", "billing", "-n", "shop")
    bearer = {"auth": {"bearer": {"enabled": True, "users": ["system:serviceaccount:shop:billing=skerry:applications"]}}}
    joined.helm("upgrade", RELEASE, CHART, "--reset-then-reuse-values", "--wait", "--timeout=240s", values=bearer)
    check_release(joined)
    schema = joined.kubectl.get("crd", "devices.devices.kubeedge.io")["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert "properties" in schema["properties"]["spec"]["properties"]
    joined.wait_ready()
    devices.desire(joined.kubectl, "room-3", "target", "24")
    await_reported(joined, target="24.00")
    check_streams(joined, "again")


def test_tokens_of_the_cluster(joined):
    """A program in the cluster calls device-controller-svc with a token of its ServiceAccount; the cluster's API says whose it is."""
    token = joined.kubectl("create", "token", "billing", "-n", "shop", "--audience=skerry", "--duration=10m").strip()
    address = joined.kubectl.get("service", f"{NAME}-device-controller-svc", NAMESPACE)["spec"]["clusterIP"]
    name = f"{NAME}-device-controller-svc.{NAMESPACE}.svc"
    credentials = grpc.ssl_channel_credentials((joined.desk / "ca.crt").read_bytes())
    relay = Relay(joined.cloud.network, joined.folder / "devices.sock", f"{address}:10006")
    try:
        with grpc.secure_channel(f"unix://{joined.folder / 'devices.sock'}", credentials,
                                 options=[("grpc.ssl_target_name_override", name)]) as channel:
            stub = stubs.device.DeviceServiceStub(channel)
            request = stubs.device.ListDevicesRequest(parent="namespaces/default")
            listed = stub.ListDevices(request, metadata=[("authorization", f"Bearer {token}")], timeout=20)
            assert "namespaces/default/devices/room-3" in [device.name for device in listed.devices]
            with pytest.raises(grpc.RpcError) as refused:
                stub.ListDevices(request, metadata=[("authorization", f"Bearer {token[:-4]}AAAA")], timeout=20)
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    finally:
        relay.close()
    check_nothing_was_refused(joined)


def test_uninstall_and_install_again(joined):
    """What would be lost for good stays, and is taken up again: the box need not join, the device is as it was."""
    ca = joined.kubectl.get("secret", f"{NAME}-ca", NAMESPACE)["data"]
    before = app_pod(joined)
    joined.helm("uninstall", RELEASE, "--wait", "--timeout=120s")
    assert not joined.kubectl.get("deployments", namespace=NAMESPACE)["items"]
    secrets = {each["metadata"]["name"] for each in joined.kubectl.get("secrets", namespace=NAMESPACE)["items"]}
    assert set(KEPT_SECRETS) <= secrets
    assert joined.kubectl.exists("device", "room-3")
    joined.helm("install", RELEASE, CHART, "--wait", "--timeout=240s", values=joined.values())
    assert joined.kubectl.get("secret", f"{NAME}-ca", NAMESPACE)["data"] == ca
    assert base64.b64decode(ca["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")
    joined.wait_ready()
    devices.desire(joined.kubectl, "room-3", "target", "20")
    await_reported(joined, target="20.00")
    assert container(app_pod(joined))["containerID"] == container(before)["containerID"]


def tokens(system):
    """Those that the hubs know."""
    return json.loads(system.skerryctl("token", "list", "-o", "json"))


def page_blocks(path):
    """What a page says to type, where it names this file as what does."""
    return [block.text for block in handbook.read(path).blocks if block.options.get("checked-by") == f"e2e/scenarios/{Path(__file__).name}"]


def test_backup_and_restore(joined):
    """docs/ops/backup.md, block by block: release, namespace and database are lost, and the box goes on with its pod and its device."""
    backup, *restore = page_blocks("docs/ops/backup.md")
    before, known = app_pod(joined), tokens(joined)
    joined.shell(backup)
    joined.lose()
    devices.desire(joined.kubectl, "room-3", "target", "19")
    joined.volume()
    for block in restore:
        joined.shell(block)
    check_release(joined)
    joined.wait_ready()
    await_reported(joined, target="19.00")
    after = app_pod(joined)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert container(after)["containerID"] == container(before)["containerID"]
    assert container(after)["restartCount"] == container(before)["restartCount"]
    check_streams(joined, "again")
    # The hubs know what they knew, and which nodes there are: a token for anybody needs no --nodes-known.
    joined.shell(joined.noted("for key in "), program=("sh",))
    assert tokens(joined) == known
    assert joined.skerryctl("token", "create", "--single-use")


def test_a_database_of_ones_own(joined):
    """docs/ops/cluster.md moves the bundled one's contents to a PostgreSQL outside of the cluster, which a Secret names; nothing is forgotten."""
    known = tokens(joined)
    (move,) = (block for block in page_blocks("docs/ops/cluster.md") if "pg_restore" in block)
    joined.shell(f"URL={joined.external_database(25060)}\n{move.rstrip()},networkPolicy.databasePorts={{25060}}\n")
    assert not joined.kubectl.get("statefulsets", namespace=NAMESPACE)["items"]
    for service, count in SERVICES.items():
        joined.wait_ready_pods(service, count)
    assert tokens(joined) == known
    joined.wait_ready()
    devices.desire(joined.kubectl, "room-3", "target", "18")
    await_reported(joined, target="18.00")
