"""A small site with something in every store: made by the programs of a release, left as a power cut leaves it, and made again."""

import json
import shutil

from cluster import wait
from cluster.binaries import TOP
from cluster.kube import condition, container

from harness import devices, golden, pods, stubs
from harness.postgres import Postgres
from harness.rules import Peer, post_on_box
from harness.system import System

NODE = "edge-1"
FOREVER = "87600h"
ORDERS = "http://shop.example/orders"
PUMP = "$hw/events/device/default/pump-1/twin/update"
# What stands in files where a path or an address of the machine was.
FOLDER, TARGET, LINK, JOIN, BROKER = "@FOLDER@", "@TARGET@", "@LINK@", "@JOIN@", "@BROKER@"


class Site:
    """The system, its database if it has one, and who is at the ends of its rules."""

    def __init__(self, name, kind):
        self.kind = kind
        self.keys = None
        self.target = Peer()
        self.postgres = Postgres() if kind == "postgres" else None
        self.system = System(name)
        self.cloud = self.system.cloud
        self.cloud.router.settings.update({"status.interval": "200ms", "delivery.backoff_min": "50ms", "delivery.backoff_max": "300ms",
                                           "delivery.age_max": FOREVER})
        self.cloud.devices.settings.update({"retention.history": "0", "retention.telemetry": "0"})
        if self.postgres is not None:
            url = self.system.folder / "database-url"
            url.write_text(Postgres.url(self.postgres.folder))
            for service in (self.cloud.api, self.cloud.hub, self.cloud.devices, self.cloud.router):
                service.settings.update({"store.kind": "postgres", "store.postgres_url_file": str(url)})
        self.node = self.system.make_node(NODE)
        self.node.broker.configure()
        self.node.make_mapper("virtual")

    def close(self):
        """Leaves nothing."""
        self.system.close()
        if self.postgres is not None:
            self.postgres.close()
        self.target.kill()

    def stores(self):
        """{name: file} of every SQLite store, by its path in the site."""
        return {str(path.relative_to(self.system.folder)): path for path in self.system.databases()}

    def writer(self, store):
        """The service that has a store."""
        name = store.rpartition("/")[2].removesuffix(".db")
        if store.startswith("cloud/"):
            return {"api": self.cloud.api, "hub": self.cloud.hub, "devices": self.cloud.devices, "router": self.cloud.router}[
                store.split("/")[1]]
        return {"edgehub": self.node.edgehub, "events": self.node.edgehub, "commands": self.node.edgehub, "edge-meta": self.node.meta,
                "edged": self.node.edged, "twins": self.node.twin, "mappers": self.node.twin, "eventbus": self.node.eventbus,
                "eventbus-requests": self.node.eventbus}[name]

    def words(self):
        """What stands for what in files."""
        return {FOLDER: str(self.system.folder), TARGET: self.target.url, LINK: self.cloud.hub.addresses["link"],
                JOIN: self.cloud.hub.addresses["join"], BROKER: f"127.0.0.1:{self.node.broker.port}"}

    def join(self):
        """A cloud half and a box with keys of their own, and nothing in their stores yet; they do not run."""
        self.cloud.start()
        self.node.join(self.cloud, self.cloud.create_token())
        self.cloud.stop()

    def restore(self, folder):
        """The stores and the box's settings as `folder` has them, with this site's keys and addresses."""
        self.keys = self.keys or self._keys()
        keys = self.keys
        for path in self.stores().values():
            path.unlink()
        for file in sorted(folder.glob("files/**/*")):
            if file.is_file():
                place = self.system.folder / file.relative_to(folder / "files")
                place.parent.mkdir(parents=True, exist_ok=True)
                if place.name.endswith(".hex"):
                    place.with_suffix("").write_bytes(bytes.fromhex(file.read_text()))
                else:
                    place.write_text(self._filled(file))
        for file in sorted(folder.glob("stores/**/*.sql")):
            path = self.system.folder / file.relative_to(folder / "stores").with_suffix("")
            path.parent.mkdir(parents=True, exist_ok=True)
            golden.make_sqlite(self._filled(file), path, keys.get(str(file.relative_to(folder / "stores").with_suffix("")), ""))
        if self.postgres is not None:
            self.postgres.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            golden.make_postgres(self._filled(folder / "database.sql"), self.postgres, keys["database"])

    def _filled(self, file):
        text = file.read_text()
        for word, value in self.words().items():
            text = text.replace(word, value)
        return text

    def _keys(self):
        """{store: SQL} that puts in the keys of this site, and moves to the present what ends by the wall clock."""
        if self.postgres is not None:
            ca = self.postgres.query("SELECT ca_hash FROM hub_state")
            key = self.postgres.query(f"SELECT key_hash FROM hub_nodes WHERE node = '{NODE}'")
            return {"database":
                    f"UPDATE hub_state SET ca_hash = '{ca}';"
                    f"UPDATE hub_nodes SET key_hash = '{key}' WHERE node = '{NODE}';"
                    "UPDATE hub_tokens SET expire_time = (extract(epoch FROM now()) + 3600) * 1000000;"
                    "UPDATE hub_commands SET create_time = extract(epoch FROM now()) * 1000000,"
                    " expire_time = (extract(epoch FROM now()) + 3600) * 1000000;"}
        ((key,),) = self.system.rows(self.cloud.folder / "hub/tokens.db", f"SELECT key_hash FROM joined_nodes WHERE node = '{NODE}'")
        return {"cloud/hub/tokens.db": f"UPDATE joined_nodes SET key_hash = '{key}' WHERE node = '{NODE}';"
                             "UPDATE join_tokens SET expire_time = (unixepoch() + 3600) * 1000000;",
                "cloud/hub/commands.db": "UPDATE command SET create_micros = unixepoch() * 1000000,"
                               " expire_micros = (unixepoch() + 3600) * 1000000;"}


# ---- content


def _set_up(site):
    """Pods, devices and rules, and all of it works."""
    kubectl = site.system.kubectl
    config, config_mount = pods.volume_from_config_map("page", "/etc/page")
    secret, secret_mount = pods.volume_from_secret("key", "/etc/key")
    kubectl.apply(pods.config_map("page", text="first"), pods.secret("key", word="sesame"),
                  pods.pod("web", volumes=[config, secret], container={"volumeMounts": [config_mount, secret_mount]}),
                  pods.pod("done", script="exit 3", restartPolicy="Never"),
                  devices.model("pump", ("speed", "INT", "ReadWrite"), ("level", "FLOAT", "ReadOnly")),
                  devices.device("pump-1", "pump", NODE, speed="5", level=None))
    kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    kubectl("apply", "-f", "-", stdin=(TOP / "examples/rules.yaml").read_text().replace("http://127.0.0.1:8000", site.target.url))
    kubectl.wait_for("pod", "web", "Ready", lambda pod: condition(pod, "Ready") == "True", 120)
    kubectl.wait_for("pod", "done", "Failed", lambda pod: pod["status"].get("phase") == "Failed")
    wait.until("room-3 to report", lambda: devices.reported(kubectl, "room-3").get("target") == "21.00", 60)
    wait.until("eventbus-svc to be ready", site.node.eventbus.ready, 30)
    said = site.cloud.skerryctl("device", "call", "lamp-3", "toggle", "--call-id=done", *site.cloud.device_flags)
    assert said == "status 200\nfalse\n", said
    wait.until("router-svc to know the rules", lambda: site.cloud.router.metric("skerry_router_rules", state="valid") == 4, 30)


def _speak(site, mqtt):
    """What came through, what waits in router-svc, and a dead letter."""
    def level(value):
        mqtt.publish(PUMP, {"twin": {"level": {"actual": {"value": str(value)}}}})
        return devices.reported(site.system.kubectl, "pump-1").get("level") == str(value)

    wait.until("pump-1 to report", lambda: level(1), 60, 1)
    site.target.answer = lambda request: (410, "")
    wait.until("posts to be taken", lambda: post_on_box(site.node, ORDERS, '"refused"')["code"] == 200, 30)
    wait.until("a dead letter", lambda: site.cloud.router.metric("skerry_router_dead_letters") >= 1, 30)
    site.target.kill()
    mqtt.publish("default/alarms", "1")
    wait.until("a message to wait", lambda: site.cloud.router.metric("skerry_router_waiting_messages") == 1, 30)


def _offline(site, mqtt):
    """Everything that can wait on a box does: at the hub's side of the box, and at its services while that is away, too."""
    node, pod = site.node, site.system.kubectl.get("pod", "web")
    site.cloud.kill()
    mqtt.publish(PUMP, {"twin": {"level": {"actual": {"value": "2"}}}})
    mqtt.publish("default/alarms", "2")
    events = node.state_dir / "events.db"
    wait.until("edgehub-svc to have them", lambda: {"readings", "usermessages"} <= {
        name for (name,) in site.system.rows(events, "SELECT name FROM stream JOIN event ON stream.id = event.stream")}, 30)
    node.edgehub.kill()
    mqtt.publish(PUMP, {"twin": {"level": {"actual": {"value": "3"}}}})
    mqtt.publish("default/alarms", "3")
    bus = node.state_dir
    before = site.system.folder / "bus-before"
    wait.until("eventbus-svc to have it", lambda: site.system.rows(bus / "eventbus.db", "SELECT * FROM upload"), 30)
    node.ctr("tasks", "kill", "--signal", "KILL", container(pod)["containerID"].rpartition("/")[2])
    wait.until("a report to wait", lambda: node.meta.metric("skerry_edgemeta_reports_pending") > 0, 30)
    wait.until("the container to run again", lambda: _restarts(site) == 1, 60)
    desire_on_box(node, "room-3", "target", "26")
    # A publication that waits for the broker: and after that, of another moment, a request that waits for twin-svc.
    node.broker.stop()
    desire_on_box(node, "pump-1", "speed", "9")
    wait.until("a publication to wait", lambda: site.system.rows(bus / "eventbus.db", "SELECT * FROM publication"), 30)
    node.eventbus.kill()
    before.mkdir()
    for path in bus.glob("eventbus.db*"):
        shutil.copy(path, before)
    node.broker.start()
    node.eventbus.start()
    wait.until("eventbus-svc to be ready", node.eventbus.ready, 30)
    node.twin.kill()
    mqtt.publish(PUMP, {"event_id": "last", "twin": {"level": {"actual": {"value": "4"}}}})
    wait.until("the request to be noted", lambda: site.system.rows(bus / "eventbus-requests.db", "SELECT * FROM request"), 30)
    node.eventbus.kill()
    for path in bus.glob("eventbus.db*"):
        path.unlink()
    for path in before.glob("eventbus.db*"):
        shutil.copy(path, bus)
    shutil.rmtree(before)
    for service in node.services:
        service.kill()


def _restarts(site):
    """Of web, as the box has it: nobody else has heard of them."""
    said = site.cloud.skerryctl("get", "pod", "web", f"--run-dir={site.node.run_dir}", "-o", "json")
    return container(json.loads(said)).get("restartCount")


def desire_on_box(node, device, name, value):
    """Sets a desired value as a local program does."""
    channel = stubs.unix_channel(node.run_dir / "twin.sock")
    try:
        request = stubs.twin.WriteTwinRequest(name=f"namespaces/default/devices/{device}/twin", writer="panel")
        request.desired[name].value = value
        stubs.twin.TwinServiceStub(channel).WriteTwin(request, timeout=20)
    finally:
        channel.close()


def twin_on_box(node, device):
    """Its properties, as the box has them."""
    channel = stubs.unix_channel(node.run_dir / "twin.sock")
    try:
        return stubs.twin.TwinServiceStub(channel).GetTwin(stubs.twin.GetTwinRequest(
            name=f"namespaces/default/devices/{device}/twin"), timeout=20)
    finally:
        channel.close()


def _while_away(site):
    """What happens in the cloud while the box is nowhere; returns the token that was made."""
    site.cloud.start()
    kubectl = site.system.kubectl
    kubectl.apply(pods.config_map("page", text="second"), pods.pod("later"))
    devices.desire(kubectl, "room-3", "target", "24")
    wait.until("the call to be queued", lambda: "WAITING" in site.cloud.skerryctl(
        "device", "call", "lamp-3", "toggle", "--delivery=queue", "--expire-in=24h", "--call-id=golden", *site.cloud.device_flags), 30)
    return site.cloud.create_token("--ttl=24h", "--description=golden")


def make(folder, kind):
    """Writes stores/<path>.sql, files/ (settings and keys of stores), database.sql and facts.json."""
    site = Site("golden", kind)
    try:
        site.cloud.start()
        site.system.add_node(NODE)
        mqtt = devices.MqttClient(site.node.broker)
        _set_up(site)
        _speak(site, mqtt)
        versions = {name: twin_on_box(site.node, name).version for name in ("room-3", "pump-1")}
        _offline(site, mqtt)
        token = _while_away(site)
        facts = _facts(site, token, versions)
        site.cloud.stop()
        _write(site, folder, facts)
    finally:
        site.close()


def _facts(site, token, versions):
    kubectl = site.system.kubectl
    api = devices.DeviceApi(site.cloud)
    try:
        readings = [value for _, value in api.readings("pump-1", "level")]
        history = api.history("room-3", "target", desired=True)
    finally:
        api.close()
    return {
        "uids": {f"{kind}/{name}": kubectl.get(kind, name)["metadata"]["uid"] for kind, name in (
            ("pod", "web"), ("pod", "done"), ("pod", "later"), ("device", "pump-1"), ("device", "room-3"), ("rule", "alarms"))},
        "done": container(kubectl.get("pod", "done"))["containerID"],
        "resourceVersion": int(kubectl.get("configmap", "page")["metadata"]["resourceVersion"]),
        "token": token.split(".", 1)[1],
        "readings": readings,
        "history": history,
        "twins": versions,
    }


def _write(site, folder, facts):
    shutil.rmtree(folder, ignore_errors=True)
    words = site.words()

    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    for name, path in site.stores().items():
        write(folder / "stores" / f"{name}.sql", golden.dump_sqlite(path, words))
    if site.postgres is not None:
        write(folder / "database.sql", golden.dump_postgres(site.postgres, words))
    for path in sorted(site.node.config_dir.glob("*.yaml")):
        write(folder / "files" / path.relative_to(site.system.folder), golden.replaced(path.read_text(), words))
    key = site.node.state_dir / "edge-meta.key"
    write(folder / "files" / f"{key.relative_to(site.system.folder)}.hex", f"{key.read_bytes().hex()}\n")
    write(folder / "facts.json", json.dumps(facts, indent=1) + "\n")
