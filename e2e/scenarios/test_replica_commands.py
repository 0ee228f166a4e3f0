"""Commands queued at one of two hubs, for a node that is at the other, at either, or away."""

import pytest
from cluster import wait

from harness import commands
from harness.postgres import Postgres
from harness.replicas import Site
from harness.stubs import grpc

_STAGES = ("ACCEPTED", "SENT", "DELIVERED", "STARTED", "DONE")


class Exchange:
    """The site with a node without pods, a service of its box that takes commands, and a sender at each hub."""

    def __init__(self, system, site):
        self.site = site
        self.node = system.add_node("edge-1", runtime=False)
        site.await_at(site.a)
        self.taker = commands.Taker(self.node)
        self.at_a = commands.Sender(system, site.a)
        self.at_b = commands.Sender(system, site.b)

    def move(self, hub):
        """The node dials and comes to that one."""
        self.site.only(hub)
        self.site.balancer.reset()
        self.site.await_at(hub)

    def check_done(self, sender, key):
        """It was executed, once, and the sender hears it."""
        end = wait.until(f"command {key} to end", lambda: sender.end(key), 60, 0.1)
        assert (end.status.code, end.response, self.taker.executed.get(key)) == (0, f"did {key}".encode(), 1), end

    def close(self):
        """Ends what the test started."""
        for part in (self.taker, self.at_a, self.at_b):
            part.close()


@pytest.fixture(scope="module", name="exchange")
def fixture_exchange(system):
    """One for all: each scenario leaves the node at a."""
    postgres = Postgres()
    site = None
    exchange = None
    try:
        site = Site(system, postgres)
        site.start()
        exchange = Exchange(system, site)
        yield exchange
    finally:
        if exchange is not None:
            exchange.close()
        for node in system.nodes.values():
            node.stop()
        if site is not None:
            site.close()
        system.cloud.stop()
        postgres.close()


def test_a_command_is_queued_at_the_other_hub(exchange):
    """[replica-commands-1] cloudhub-4.4. One call hears where it is, then every further stage, to the outcome. The other hub
    may have sent it before it is known to this one that it is accepted."""
    heard = list(exchange.at_b.send("c1", timeout=30))
    stages = [commands.stage(command) for command in heard]
    assert stages == [stage for stage in _STAGES if stage in stages] and stages[-1] == "DONE", heard
    assert heard[-1].response == b"did c1"
    assert exchange.taker.executed == {"c1": 1}
    for sender in (exchange.at_a, exchange.at_b):
        exchange.check_done(sender, "c1")


def test_the_hub_of_the_node_is_killed(exchange):
    """[replica-commands-2] link-10.1, link-10.14. Commands are under way; the node comes to the other hub, whose sender waits."""
    exchange.move(exchange.site.b)
    keys = [f"killed-{number}" for number in range(40)]
    calls = [exchange.at_a.send(key, timeout=60) for key in keys]
    first = [next(call) for call in calls]  # Of one that was quick, the outcome.
    exchange.site.only(exchange.site.a)
    exchange.site.b.kill()
    for key, heard, call in zip(keys, first, calls):
        end = [heard, *call][-1]
        assert (commands.stage(end), end.response) == ("DONE", f"did {key}".encode()), end
    assert {key: exchange.taker.executed.get(key) for key in keys} == {key: 1 for key in keys}
    exchange.site.await_at(exchange.site.a)
    exchange.site.b.start()
    for key in (keys[0], keys[-1]):
        exchange.check_done(exchange.at_b, key)


def test_the_node_is_nowhere(exchange):
    """[replica-commands-3] link-10.10, link-10.11. One expires, one is cancelled at the other hub, one waits for the node."""
    exchange.node.edgehub.kill()
    for hub in (exchange.site.a, exchange.site.b):
        wait.until("the session to end", lambda h=hub: h.metric("skerry_cloudhub_sessions") == 0, 60)
    expires = exchange.at_a.send("expires", timeout=60, expire_in=1)
    cancelled = exchange.at_a.send("cancelled", timeout=60)
    waits = exchange.at_a.send("waits", timeout=60)
    for call in (expires, cancelled, waits):
        assert commands.stage(next(call)) == "ACCEPTED"
    assert commands.stage(exchange.at_b.cancel("cancelled")) == "CANCELLED"
    assert commands.stage(list(cancelled)[-1]) == "CANCELLED"
    assert commands.stage(list(expires)[-1]) == "EXPIRED"
    exchange.site.only(exchange.site.b)
    exchange.node.edgehub.start()
    assert list(waits)[-1].response == b"did waits"
    assert (exchange.taker.executed.get("expires"), exchange.taker.executed.get("cancelled")) == (None, None)
    with pytest.raises(grpc.RpcError) as refused:
        exchange.at_b.cancel("waits")
    assert "ended" in refused.value.details()
    exchange.move(exchange.site.a)


def test_the_database_is_away_for_a_while(exchange):
    """[replica-commands-4] What is announced meanwhile is read when it is back: no sender waits in vain."""
    exchange.move(exchange.site.b)
    waits = exchange.at_a.send("heard", timeout=90)
    first = next(waits)  # It is in the database; the other hub may have sent it by now.
    exchange.site.postgres.crash()
    exchange.site.postgres.start()
    assert [first, *waits][-1].response == b"did heard"
    exchange.at_a.accept("after")
    exchange.check_done(exchange.at_b, "after")
    exchange.move(exchange.site.a)
