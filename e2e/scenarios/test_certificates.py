"""Certificates live for seconds here: every one ends and is replaced, and nobody restarts anything."""

import base64
import os
import random
import ssl
import subprocess
import time
from datetime import datetime, timezone

import pytest
import yaml
from cluster import wait
from cluster.kube import condition, container

from harness import pods
from harness.postgres import Postgres

LIFE = 20  # Seconds.


class Certificate:
    """What matters of a certificate in PEM form."""

    def __init__(self, pem):
        said = subprocess.run(["openssl", "x509", "-noout", "-serial", "-enddate", "-dateopt", "iso_8601"], input=pem,
                              text=True, check=True, stdout=subprocess.PIPE).stdout
        fields = dict(line.split("=", 1) for line in said.splitlines())
        self.serial = fields["serial"]
        self.end = datetime.strptime(fields["notAfter"], "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=timezone.utc)

    @property
    def ended(self):
        """Whether its time is over."""
        return datetime.now(timezone.utc) > self.end


def served_at(address):
    """The certificate that a port serves a new connection with."""
    host, _, port = address.rpartition(":")
    return Certificate(ssl.get_server_certificate((host, int(port))))


def in_kubeconfig(path):
    """The client certificate in a kubeconfig."""
    user = yaml.safe_load(path.read_text())["users"][0]["user"]
    return Certificate(base64.b64decode(user["client-certificate-data"]).decode())


def of_node(node):
    """A node's certificate."""
    return Certificate(node.identity.read_text())


def certificates(cloud, node):
    """All there are, by name."""
    return {
        "API server": served_at(cloud.api.addresses["api"]),
        "administrator at the API": in_kubeconfig(cloud.admin_kubeconfig),
        "controller at the API": in_kubeconfig(cloud.kubeconfigs / "edge-controller.kubeconfig"),
        "hub": served_at(cloud.hub.addresses["join"]),
        "controller at the hub": Certificate((cloud.clients / "edge-controller.crt").read_text()),
        "operator at the hub": Certificate((cloud.clients / "operator.crt").read_text()),
        "node": of_node(node),
    }


def connected(node):
    """Whether the box has a session."""
    return node.edgehub.metric("skerry_edgehub_link_connected") == 1


def joined(system, name, life=LIFE):
    """A box without a runtime, and a cloud that gives its nodes certificates of that life; linked."""
    system.cloud.hub.settings["join.certificate_lifetime"] = f"{life}s"
    system.cloud.start()
    node = system.make_node(name, runtime=False)
    node.join(system.cloud, system.cloud.create_token())
    node.start()
    wait.until("the link", lambda: connected(node))
    return node


def ready(system, name):
    """The pod once it is Ready."""
    return system.kubectl.wait_for("pod", name, "Ready", lambda pod: condition(pod, "Ready") == "True")


def test_the_system_outlives_every_certificate(fresh_system):
    """[certificates-1] Link, pod and controller go on past the end of all that they began with, without a restart."""
    system = fresh_system
    cloud = system.cloud
    for service in (cloud.api, cloud.hub):
        service.settings["tls.certificate_lifetime"] = f"{LIFE}s"
    cloud.hub.settings["join.certificate_lifetime"] = f"{LIFE}s"
    cloud.start()
    node = system.add_node("edge-1")
    system.kubectl.apply(pods.pod("web"))
    before = container(ready(system, "web"))
    first = certificates(cloud, node)
    pids = {service.name: service.pid for _, service in system.services()}

    wait.until("every first certificate to end", lambda: all(c.ended for c in first.values()), 3 * LIFE)
    now = certificates(cloud, node)
    assert {name for name, c in now.items() if c.ended or c.serial == first[name].serial} == set()
    assert connected(node)
    assert node.edgehub.metric("skerry_edgehub_sessions_total") == 1, "the link is the one that was dialled first"
    assert node.edgehub.metric("skerry_edgehub_certificate_renewals_total", result="renewed") >= 1

    system.kubectl.apply(pods.pod("late"))
    ready(system, "late")
    after = container(system.kubectl.get("pod", "web"))
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], before["restartCount"])
    assert {service.name: service.pid for _, service in system.services()} == pids

    # New handshakes everywhere: who dials the hub's next process shows what it was given meanwhile.
    cloud.hub.kill()
    cloud.hub.start()
    wait.until("the link", lambda: connected(node))
    system.kubectl.apply(pods.pod("later"))
    ready(system, "later")
    assert cloud.controller.pid == pids["edge-controller-svc"] and node.edgehub.pid == pids["edgehub-svc"]


def test_killed_at_any_instant_of_a_rotation(fresh_system):
    """[certificates-2] Hub and edgehub die again and again while certificates rotate: the box is never locked out."""
    system = fresh_system
    seed = int(os.environ.get("SKERRY_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: SKERRY_E2E_SEED={seed}")
    rng = random.Random(seed)
    node = joined(system, "edge-1", life=10)
    for _ in range(40):
        time.sleep(rng.random() * 0.8)  # Not to wait for something: the instant of death is to be any.
        victim = rng.choice([node.edgehub, system.cloud.hub])
        victim.kill()
        victim.start()
    serial = of_node(node).serial
    wait.until("a whole rotation", lambda: of_node(node).serial != serial)
    wait.until("the link", lambda: connected(node))
    assert node.edgehub.metric("skerry_edgehub_certificate_renewals_total", result="refused") == 0
    assert set(system.check_databases().values()) == {"ok"}


def test_a_box_that_was_off_comes_back_or_says_how(fresh_system):
    """[certificates-3] Within the grace period by itself, beyond it with the words that help."""
    system = fresh_system
    node = joined(system, "edge-1", life=10)
    node.stop()
    wait.until("the certificate to end", lambda: of_node(node).ended)
    node.start()
    wait.until("the link", lambda: connected(node))

    node.stop()
    system.cloud.hub.stop()
    system.cloud.hub.settings["join.expired_grace"] = "0s"
    system.cloud.hub.start()
    wait.until("the certificate to end", lambda: of_node(node).ended)
    node.start()
    wait.until("a refusal", lambda: node.edgehub.metric("skerry_edgehub_certificate_renewals_total", result="refused"))
    assert "skerryctl join --force" in node.edgehub.log_tail()
    node.join(system.cloud, system.cloud.create_token("--node=edge-1"), "--force")
    wait.until("the link", lambda: connected(node))


def test_a_disabled_node_is_locked_out(fresh_system):
    """[certificates-4] At once, with its certificate still good, and over a restart of the hub; until it is enabled."""
    system = fresh_system
    cloud = system.cloud
    node = joined(system, "edge-1", life=3600)
    cloud.skerryctl("node", "disable", "edge-1", *cloud.operator_flags)
    wait.until("the link to end", lambda: not connected(node))
    cloud.hub.stop()
    cloud.hub.start()
    wait.until("a refused dial", lambda: cloud.hub.metric("skerry_cloudhub_refusals_total", reason="DISABLED"))
    with pytest.raises(RuntimeError, match="NODE_DISABLED"):
        node.join(cloud, cloud.create_token("--node=edge-1"), "--force")
    cloud.skerryctl("node", "enable", "edge-1", *cloud.operator_flags)
    wait.until("the link", lambda: connected(node), 90)
    with pytest.raises(RuntimeError, match="NODE_UNKNOWN"):
        cloud.skerryctl("node", "disable", "nobody", *cloud.operator_flags)


@pytest.fixture(name="postgres")
def fixture_postgres():
    """A database for the hub."""
    postgres = Postgres()
    yield postgres
    postgres.close()


def _another_ca(cloud):
    """The CA's folder is moved away, as docs/ops/runbooks/SkerryCaEnding.md says, and the hub started."""
    cloud.hub.stop()
    (cloud.folder / "hub/ca").rename(cloud.folder / "hub/ca.before")
    cloud.hub.start()


def _join_again(system, node):
    """The hub has another CA: controllers go on by themselves, the box by joining."""
    cloud = system.cloud
    wait.until("the controllers, which nobody has restarted", lambda: cloud.hub.metric("skerry_cloudhub_spokes") == 3)
    assert not connected(node)
    node.join(cloud, cloud.create_token("--node=edge-1"), "--force")
    wait.until("the link", lambda: connected(node))


def test_with_a_new_ca_every_box_joins_again(fresh_system):
    """[certificates-5] As the page of SkerryCaEnding says: controllers go on with their new files, a box joins again."""
    system = fresh_system
    cloud = system.cloud
    node = joined(system, "edge-1", life=3600)
    wait.until("the controllers", lambda: cloud.hub.metric("skerry_cloudhub_spokes") == 3)
    pids = {service.name: service.pid for _, service in system.services()}
    old = Certificate((cloud.clients / "ca.crt").read_text())
    assert cloud.hub.metric("skerry_certificate_expire_timestamp_seconds", certificate="ca") == old.end.timestamp()
    token = cloud.create_token("--node=edge-1")
    _another_ca(cloud)
    with pytest.raises(RuntimeError, match="CA"):
        node.join(cloud, token, "--force")
    _join_again(system, node)
    after = {service.name: service.pid for _, service in system.services()}
    assert {name for name, pid in pids.items() if after[name] != pid} == {"cloudhub-svc"}


def test_hubs_on_postgresql_take_a_new_ca_once_they_are_told_to(fresh_system, postgres):
    """[certificates-6] As the same page says: not before the former one is forgotten."""
    system = fresh_system
    cloud = system.cloud
    url = system.folder / "database-url"
    url.write_text(Postgres.url(postgres.folder))
    cloud.hub.settings.update({"store.kind": "postgres", "store.postgres_url_file": str(url)})
    node = joined(system, "edge-1", life=3600)
    with pytest.raises(RuntimeError, match="CA_MISSING"):
        _another_ca(cloud)
    postgres.query("DELETE FROM hub_state")
    cloud.hub.start()
    _join_again(system, node)


def test_the_standalone_api_takes_a_new_ca(fresh_system):
    """[certificates-7] As the same page says: who reads the kubeconfigs goes on by itself, boxes hear nothing of it."""
    system = fresh_system
    cloud = system.cloud
    cloud.start()
    node = system.add_node("edge-1")
    system.kubectl.apply(pods.pod("web"))
    ready(system, "web")
    pki = cloud.folder / "api/pki"
    old = (pki / "ca.crt").read_text()
    assert cloud.api.metric("skerry_certificate_expire_timestamp_seconds", certificate="ca") == Certificate(old).end.timestamp()
    pids = {service.name: service.pid for _, service in system.services()}

    cloud.api.stop()
    for name in ("ca.crt", "ca.key"):
        (pki / name).rename(pki / f"{name}.before")
    cloud.api.start()

    assert (pki / "ca.crt").read_text() != old
    system.kubectl.apply(pods.pod("late"))
    ready(system, "late")
    system.kubectl("logs", "late")
    wait.until("pods to be given the new CA", lambda: system.kubectl.get(
        "configmap", "kube-root-ca.crt")["data"]["ca.crt"] == (pki / "ca.crt").read_text())
    assert connected(node)
    after = {service.name: service.pid for _, service in system.services()}
    assert {name for name, pid in pids.items() if after[name] != pid} == {"standalone-api-svc"}
