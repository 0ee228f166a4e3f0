"""Two hubs on one PostgreSQL, behind one address."""

from cluster import wait
from cluster.host import HOST

from harness import stubs
from harness.postgres import Postgres
from harness.proxy import Proxy


class Site:
    """Hubs "a" and "b" behind a balancer; a's database is behind a proxy, and its link port may be."""

    def __init__(self, system, postgres):
        self.system = system
        self.postgres = postgres
        self.cloud = system.cloud
        folder = self.cloud.folder / "database-of-a"
        folder.mkdir(parents=True)
        self.database_of_a = Proxy(HOST, f"unix:{folder}/.s.PGSQL.5432", f"unix:{postgres.socket}")
        self.balancer = Proxy(HOST, "127.0.0.1:0")
        self.link_of_a = Proxy(HOST, "127.0.0.1:0")
        urls = {"a": folder, "b": postgres.folder}
        for name, place in urls.items():
            (self.cloud.folder / f"url-{name}").write_text(Postgres.url(place))
        self.cloud.hub.settings.update({
            "hub.name": "hub-1",
            "store.kind": "postgres",
            "store.postgres_url_file": str(self.cloud.folder / "url-a"),
            "tls.ca_dir": str(self.cloud.folder / "ca"),
            "link.advertise": self.balancer.address,
            "link.heartbeat_interval": "10s",  # Time enough to do things behind a hub's back.
        })
        self.a = self.cloud.hub
        self.b = self.cloud.add_hub()
        self.b.settings["store.postgres_url_file"] = str(self.cloud.folder / "url-b")

    def start(self):
        """The cloud half; who dials comes to a."""
        self.cloud.start()
        self.link_of_a.to(self.a.addresses["link"])
        self.prefer(self.a)

    def cut_database_of_a(self, cut):
        """Nothing goes between a and its database until it is mended."""
        self.database_of_a.to(*[] if cut else [f"unix:{self.postgres.socket}"])
        if cut:
            self.database_of_a.reset()

    def prefer(self, hub):
        """From now on who dials comes to that one, as long as it takes connections."""
        other = self.b if hub is self.a else self.a
        self.balancer.to(hub.addresses["link"], other.addresses["link"])

    def only(self, hub):
        """From now on who dials comes to that one."""
        self.balancer.to(hub.addresses["link"])

    def lead_through_proxy(self):
        """The node has a session at a by way of its proxy, which can keep what the box sends."""
        began = self.a.metric("skerry_cloudhub_sessions_total")
        self.balancer.to(self.link_of_a.address)
        self.balancer.reset()
        wait.until("a new session", lambda: self.a.metric("skerry_cloudhub_sessions_total") > began, 30)
        self.await_at(self.a)
        # What is held before it asked for its objects would get none.
        wait.until("every type in step in this session", self._in_step, 30)

    def _in_step(self):
        for node in self.system.nodes.values():
            with stubs.unix_channel(node.run_dir / "edgehub.sock") as channel:
                status = stubs.edgehub.EdgeHubServiceStub(channel).GetStatus(stubs.edgehub.GetStatusRequest(), timeout=5)
            if not status.types or not all(kind.synced for kind in status.types):
                return False
        return True

    def await_at(self, hub, timeout=30):
        """Until every node has its session there, and the controller knows."""
        other, count = self.b if hub is self.a else self.a, len(self.system.nodes)
        wait.until("the sessions", lambda: hub.metric("skerry_cloudhub_sessions") == count, timeout)
        wait.until("the controller to know", lambda: self.nodes_at(hub) == count and self.nodes_at(other) == 0, timeout)

    def nodes_at(self, hub):
        """Nodes whose session the controller has at a hub."""
        return self.cloud.controller.metric("skerry_edgecontroller_hub_nodes", hub=hub.addresses["api"])

    def drain(self, hub, *flags):
        """What `skerryctl drain` says."""
        return self.cloud.skerryctl("drain", *self.cloud.operator_flags_of(hub), *flags)

    def close(self):
        """Ends the proxies."""
        for proxy in (self.balancer, self.link_of_a, self.database_of_a):
            proxy.close()
