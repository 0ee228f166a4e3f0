"""Who may reach whom, by the NetworkPolicies that are rendered: read as a cluster reads them."""

import itertools

import pytest

from chart import PROMETHEUS, HelmFailed, find, pods, render

SERVICES = ("cloudhub-svc", "edge-controller-svc", "device-controller-svc", "router-svc")
NAMES = (*SERVICES, "postgres", "test")
# Ports of the release's own pods, and who of the release may go there.
OWN = {
    ("cloudhub-svc", 10000): set(NAMES), ("cloudhub-svc", 10002): set(NAMES), ("cloudhub-svc", 10005): set(NAMES),
    ("device-controller-svc", 10006): set(NAMES), ("router-svc", 10007): set(NAMES), ("router-svc", 9443): set(NAMES),
    ("edge-controller-svc", 10250): set(NAMES), ("postgres", 5432): {"cloudhub-svc", "device-controller-svc", "router-svc"},
    **{(service, 9100): set(NAMES) for service in SERVICES},
}
# What policies let out of each pod of the release, of OWN.
OUT = {
    "cloudhub-svc": {("postgres", 5432)},
    "edge-controller-svc": {("cloudhub-svc", 10005)},
    "device-controller-svc": {("cloudhub-svc", 10005), ("postgres", 5432)},
    "router-svc": set(OWN),
    "postgres": set(),
    "test": set(OWN),  # No policy is about it.
}


class Place:
    """One end of a connection: a pod by its labels and those of its namespace, or an address outside of the cluster (`cidr`, as a policy
    writes it)."""

    def __init__(self, labels=None, namespace=None, cidr=None):
        self.labels, self.namespace, self.cidr = labels, namespace, cidr

    def matches(self, peer, home):
        """Whether a peer of a policy of namespace `home` is this."""
        if "ipBlock" in peer:
            return self.cidr == peer["ipBlock"]["cidr"]
        if self.labels is None:
            return False
        if "namespaceSelector" not in peer:
            near = self.namespace is home
        else:
            near = peer["namespaceSelector"].get("matchLabels", {}).items() <= self.namespace.items()
        return near and peer.get("podSelector", {}).get("matchLabels", {}).items() <= self.labels.items()


class Release:
    """The policies of a rendering, and its pods."""

    def __init__(self, objects, home):
        self._policies = [obj["spec"] for obj in objects if obj["kind"] == "NetworkPolicy"]
        self._home = home
        self.places = {labels["app.kubernetes.io/component"]: Place(labels, home) for _, labels, _ in pods(objects)}

    def _allows(self, place, direction, other, port):
        about = [spec for spec in self._policies if place.matches({"podSelector": spec["podSelector"]}, self._home)]
        about = [spec for spec in about if direction in spec["policyTypes"]]
        key, ends = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        for rule in (rule for spec in about for rule in spec.get(key, [])):
            ports = [(entry["port"], entry.get("protocol", "TCP")) for entry in rule.get("ports", [])]
            peers = rule.get(ends, [])
            if (not ports or port in ports) and (not peers or any(other.matches(peer, self._home) for peer in peers)):
                return True
        return not about

    def lets_out(self, source, target, port, protocol="TCP"):
        """The policies of the source's pod."""
        return self._allows(source, "Egress", target, (port, protocol))

    def lets_in(self, source, target, port, protocol="TCP"):
        """The policies of the target's pod."""
        return self._allows(target, "Ingress", source, (port, protocol))


HOME, ELSEWHERE = {"name": "home"}, {"name": "monitoring"}
STRANGER = Place({"app": "shop"}, ELSEWHERE)
NEIGHBOUR = Place({"app": "shop"}, HOME)  # In the release's namespace, and none of the release.
OUTSIDE = Place(cidr="0.0.0.0/0")


@pytest.fixture(scope="module", name="release")
def fixture_release():
    """With the defaults."""
    return Release(render(), HOME)


def _served(release, source):
    """Where of OWN the policies of the targets let a source in."""
    return {end for end in OWN if release.lets_in(source, release.places[end[0]], end[1])}


def test_every_port_of_a_pod_is_one_of_these():
    """So that a new one has its place in the tables above; what serves has a policy, and jobs and tests need none."""
    found = {(labels["app.kubernetes.io/component"], port["containerPort"]) for _, labels, spec in pods(render())
             for container in spec["containers"] for port in container.get("ports", [])}
    assert found == set(OWN)
    governed = {obj["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for obj in render() if obj["kind"] == "NetworkPolicy"}
    assert governed == {*SERVICES, "postgres"}


def test_within_the_release(release):
    """Both ends' policies: each service reaches what it needs, and nothing else of the release."""
    for name, (end, _) in itertools.product(NAMES, OWN.items()):
        source, target = release.places[name], release.places[end[0]]
        assert release.lets_in(source, target, end[1]) == (name in OWN[end]), f"{name} into {end}"
        assert release.lets_out(source, target, end[1]) == (end in OUT[name]), f"{name} out to {end}"
    for end in OWN:
        for port in (22, 5432, 9100, 10005, 10250):
            if (end[0], port) not in OWN:
                assert not release.lets_in(STRANGER, release.places[end[0]], port), f"{end[0]} {port}"


def test_from_other_pods(release):
    """Boxes' ports and the kubelet's are everybody's, as their ends say who comes (mTLS); scrapers and callers may be anywhere by default;
    the hubs' API and the database are the release's alone."""
    everybody = {("cloudhub-svc", 10000), ("cloudhub-svc", 10002), ("edge-controller-svc", 10250)}
    callers = {("device-controller-svc", 10006), ("router-svc", 9443)}
    scraped = {(service, 9100) for service in SERVICES}
    for source in (STRANGER, NEIGHBOUR):
        assert _served(release, source) == everybody | callers | scraped
    assert _served(release, OUTSIDE) == everybody


def test_peers_of_the_values_replace_everybody():
    """monitoring, callers and operators are who may scrape, call and operate; nobody else may."""
    objects = render({"networkPolicy": {"monitoring": [{"namespaceSelector": {"matchLabels": ELSEWHERE}}],
                                        "operators": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
                                        "callers": [{"podSelector": {"matchLabels": {"app": "shop"}}}]}})
    release = Release(objects, HOME)
    everybody = {("cloudhub-svc", 10000), ("cloudhub-svc", 10002), ("edge-controller-svc", 10250)}
    callers = {("device-controller-svc", 10006), ("router-svc", 9443)}
    assert _served(release, STRANGER) == everybody | {(service, 9100) for service in SERVICES}
    assert _served(release, NEIGHBOUR) == everybody | callers
    assert _served(release, Place(cidr="192.0.2.0/24")) == everybody | {("cloudhub-svc", 10005), ("device-controller-svc", 10006),
                                                                         ("router-svc", 10007)}
    assert _served(release, OUTSIDE) == everybody
    assert ("cloudhub-svc", 9100) in _served(release, release.places["test"])  # helm test asks whether it is ready.


def _out(release, name, *ports):
    return {port for port in ports if release.lets_out(release.places[name], OUTSIDE, port)}


def test_out_of_the_cluster(release):
    """The API server, for those who call it; names, for all; an external database; what rules post to, for the router."""
    for name in SERVICES:
        assert release.lets_out(release.places[name], STRANGER, 53, "UDP") and release.lets_out(release.places[name], STRANGER, 53)
    probed = (80, 443, 5432, 6432, 6443, 8443, 10005)
    assert _out(release, "cloudhub-svc", *probed) == set()
    assert _out(release, "edge-controller-svc", *probed) == _out(release, "device-controller-svc", *probed) == {443, 6443}
    assert _out(release, "router-svc", *probed) == set(probed)
    bearer = Release(render({"auth": {"bearer": {"enabled": True}}}), HOME)
    assert _out(bearer, "cloudhub-svc", *probed) == {443, 6443}
    external = Release(render({"database": {"mode": "external", "existingSecret": "database"}}), HOME)
    assert _out(external, "cloudhub-svc", *probed) == {5432, 6432}
    assert _out(external, "device-controller-svc", *probed) == {443, 6443, 5432, 6432}
    assert _out(external, "edge-controller-svc", *probed) == {443, 6443}


def test_ports_of_others_are_values():
    """Of the API server and of an external database; an upgrade that reuses the values of before has neither."""
    external = {"mode": "external", "existingSecret": "database"}
    objects = render({"database": external, "networkPolicy": {"apiPorts": [16443], "databasePorts": [25060, 25061]}})
    release = Release(objects, HOME)
    probed = (443, 5432, 6432, 6443, 16443, 25060, 25061)
    assert _out(release, "device-controller-svc", *probed) == {16443, 25060, 25061}
    assert _out(release, "cloudhub-svc", *probed) == {25060, 25061}
    before = Release(render({"database": external, "networkPolicy": {"apiPorts": None, "databasePorts": None}}), HOME)
    assert _out(before, "device-controller-svc", *probed) == {443, 5432, 6432, 6443}
    for values in ({"apiPorts": []}, {"apiPorts": ["https"]}, {"databasePorts": [0]}, {"databasePorts": [65536]}):
        with pytest.raises(HelmFailed, match="Ports"):
            render({"networkPolicy": values})


def test_scrapes_of_the_monitor_are_let_in():
    """The PodMonitor's port is one that the policies open."""
    objects = render(versions=[PROMETHEUS])
    monitor = find(objects, "PodMonitor", "site-skerry-cloud")["spec"]
    wanted = {value for expression in monitor["selector"]["matchExpressions"] for value in expression["values"]}
    assert wanted == set(SERVICES) and [end["port"] for end in monitor["podMetricsEndpoints"]] == ["ops"]


def test_none_where_it_is_off():
    """networkPolicy.enabled: false."""
    assert not [obj for obj in render({"networkPolicy": {"enabled": False}}) if obj["kind"] == "NetworkPolicy"]
