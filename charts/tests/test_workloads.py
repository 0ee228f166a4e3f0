"""What the workloads of the services have: where their pods go, how they are watched, how many may be away, how boxes reach them, and
which database."""

import pytest
import yaml

from chart import MATRIX, find, render

FULL = "site-skerry-cloud"
SERVICES = ("cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc")
DATABASE = {"cloudhub-svc", "device-controller-svc", "router-svc"}  # Whose it is.


def _deployment(objects, service):
    return find(objects, "Deployment", f"{FULL}-{service}")["spec"]


def _config(objects, service):
    return yaml.safe_load(find(objects, "ConfigMap", f"{FULL}-{service}")["data"][f"{service}.yaml"])


@pytest.fixture(scope="module", name="defaults")
def fixture_defaults():
    """With the defaults."""
    return render()


@pytest.mark.parametrize("service", SERVICES)
def test_replicas_keep_apart(defaults, service):
    """Rather not on one node, then rather not in one zone; only beside others of the same service."""
    spec = _deployment(defaults, service)
    terms = spec["template"]["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [(term["weight"], term["podAffinityTerm"]["topologyKey"]) for term in terms] == [
        (100, "kubernetes.io/hostname"), (50, "topology.kubernetes.io/zone")]
    others = [_deployment(defaults, other)["template"]["metadata"]["labels"] for other in SERVICES if other != service]
    for term in terms:
        selector = term["podAffinityTerm"]["labelSelector"]["matchLabels"]
        assert selector == spec["selector"]["matchLabels"]
        assert selector.items() <= spec["template"]["metadata"]["labels"].items()
        assert not any(selector.items() <= labels.items() for labels in others)


@pytest.mark.parametrize("service", SERVICES)
def test_probes(defaults, service):
    """On the ops port that the service listens on: alive is not ready, a slow start is no end, and a pod that ends has time for it."""
    pod = _deployment(defaults, service)["template"]["spec"]
    container = pod["containers"][0]
    port = next(port["containerPort"] for port in container["ports"] if port["name"] == "ops")
    assert _config(defaults, service)["ops"]["listen"] == f"0.0.0.0:{port}"
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: probe["httpGet"] for kind, probe in probes.items()} == {
        "startup": {"path": "/livez", "port": "ops"}, "liveness": {"path": "/livez", "port": "ops"},
        "readiness": {"path": "/readyz", "port": "ops"}}
    # A migration at the start is an end to the pod only after two minutes; a hiccup of a minute is none.
    assert probes["startup"]["periodSeconds"] * probes["startup"]["failureThreshold"] >= 120
    assert probes["liveness"]["periodSeconds"] * probes["liveness"]["failureThreshold"] >= 60
    drain = int(_config(defaults, service)["process"]["drain_timeout"].removesuffix("s"))
    assert drain < pod["terminationGracePeriodSeconds"] - 5


def test_probes_of_the_bundled_database(defaults):
    """Over TCP: while it is made it answers on its socket already."""
    container = find(defaults, "StatefulSet", f"{FULL}-postgres")["spec"]["template"]["spec"]["containers"][0]
    for kind in ("readiness", "liveness"):
        assert container[f"{kind}Probe"]["exec"]["command"] == ["pg_isready", "-U", "skerry", "-h", "127.0.0.1"]


@pytest.mark.parametrize("part, service", [("cloudhub", "cloudhub-svc"), ("edgeController", "edge-controller-svc"),
                                           ("deviceController", "device-controller-svc")])
def test_one_replica_at_a_time_may_go(part, service):
    """A budget, and a rolling update that is never fewer; with one replica there is no budget, which would hold up a node's drain."""
    objects = render({part: {"replicas": 3}})
    spec = _deployment(objects, service)
    assert spec["replicas"] == 3
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    budget = find(objects, "PodDisruptionBudget", f"{FULL}-{service}")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": spec["selector"]["matchLabels"]}}
    single = {obj["metadata"]["name"] for obj in render({part: {"replicas": 1}}) if obj["kind"] == "PodDisruptionBudget"}
    assert single == {f"{FULL}-{each}" for each in SERVICES[:3] if each != service}


# ---- how boxes reach the hubs

def _hub_service(**values):
    hub = {"service": values, **({"advertise": "192.0.2.1:30000"} if values.get("type") == "NodePort" else {})}
    return find(render({"cloudhub": hub}), "Service", f"{FULL}-cloudhub-svc")


def _ports(**nodes):
    return [{"name": name, "port": port, "targetPort": name, "protocol": "TCP", **({"nodePort": nodes[name]} if name in nodes else {})}
            for name, port in (("join", 10002), ("link", 10000))]


def test_a_load_balancer():
    """TCP with the boxes' own addresses; its class, sources and annotations are the values'."""
    spec = _hub_service()["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"], spec["ports"]) == ("LoadBalancer", "Local", _ports())
    assert not {"loadBalancerClass", "loadBalancerSourceRanges", "clusterIP"} & set(spec)
    service = _hub_service(annotations={"example.com/internal": "true"}, loadBalancerClass="example.com/nlb", externalTrafficPolicy="Cluster",
                           loadBalancerSourceRanges=["192.0.2.0/24", "2001:db8::/32"], nodePorts={"link": 30000, "join": 0})
    assert service["metadata"]["annotations"] == {"example.com/internal": "true"}
    spec = service["spec"]
    assert (spec["loadBalancerClass"], spec["externalTrafficPolicy"]) == ("example.com/nlb", "Cluster")
    assert spec["loadBalancerSourceRanges"] == ["192.0.2.0/24", "2001:db8::/32"]
    assert spec["ports"] == _ports(link=30000)


def test_node_ports():
    """The ports given, and nothing of a load balancer; the hubs tell boxes the link's."""
    values = {"type": "NodePort", "nodePorts": {"link": 30000, "join": 30002}, "loadBalancerClass": "x", "loadBalancerSourceRanges": ["192.0.2.0/24"]}
    spec = _hub_service(**values)["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"], spec["ports"]) == ("NodePort", "Local", _ports(link=30000, join=30002))
    assert not {"loadBalancerClass", "loadBalancerSourceRanges"} & set(spec)
    objects = render(MATRIX["node-port"][0])
    assert _config(objects, "cloudhub-svc")["link"]["advertise"] == "192.0.2.1:30000"


def test_inside_the_cluster_alone():
    """ClusterIP has none of these fields, which the API server would refuse."""
    spec = _hub_service(type="ClusterIP", nodePorts={"link": 30000, "join": 30002})["spec"]
    assert (spec["type"], spec["ports"]) == ("ClusterIP", _ports())
    assert not {"externalTrafficPolicy", "loadBalancerClass", "loadBalancerSourceRanges"} & set(spec)


# ---- the database

def _urls(objects):
    """{service: (Secret, key) of the database's URL}, of those whose configuration reads it from where it is mounted."""
    found = {}
    for service in SERVICES:
        pod = _deployment(objects, service)["template"]["spec"]
        volume = next((volume["secret"] for volume in pod["volumes"] if volume["name"] == "database"), None)
        if volume is None:
            assert "store" not in _config(objects, service)
            continue
        mount = next(mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "database")
        (item,) = volume["items"]
        assert _config(objects, service)["store"] == {"kind": "postgres", "postgres_url_file": f"{mount['mountPath']}/{item['path']}"}
        assert mount["readOnly"] is True and volume["defaultMode"] == 0o440
        found[service] = (volume["secretName"], item["key"])
    return found


def test_an_external_database():
    """Its URL comes from the user's Secret, by the user's key, and is in no object of the release; there is no other database."""
    external = {"mode": "external", "existingSecret": "database"}
    assert _urls(render({"database": external})) == dict.fromkeys(DATABASE, ("database", "url"))
    objects = render({"database": {**external, "key": "uri"}})
    assert _urls(objects) == dict.fromkeys(DATABASE, ("database", "uri"))
    assert not [obj for obj in objects if obj["metadata"]["name"] == f"{FULL}-postgres" or obj["kind"] in ("StatefulSet", "Secret")]
    assert "postgresql://" not in yaml.safe_dump(objects)


def test_the_bundled_database(defaults):
    """The same, from the chart's own Secret."""
    assert _urls(defaults) == dict.fromkeys(DATABASE, (f"{FULL}-postgres", "url"))
