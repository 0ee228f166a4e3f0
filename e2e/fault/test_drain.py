"""A hub goes out of service under load: its nodes go to the other one, and nothing that was under way suffers."""

import pytest
from harness.load import Load
from harness.postgres import Postgres
from harness.replicas import Site
from harness.system import System


@pytest.fixture(name="site")
def fixture_site(request):
    """Two hubs and two boxes without pods, under a load; both boxes are at a."""
    system, postgres, site = System(request.module.__name__), Postgres(), None
    try:
        site = Site(system, postgres)
        site.start()
        for name in ("edge-1", "edge-2"):
            system.add_node(name, runtime=False)
        site.await_at(site.a)
        site.load = Load(system)
        try:
            site.load.start()
            yield site
        finally:
            site.load.close()
    finally:
        if site is not None:
            site.close()
        system.close()
        postgres.close()


def test_a_hub_is_drained_under_load(site):
    """[drain-1] L1, L2, L9, A2, A3; link-6.5, link-8.7, link-10.14, cloudhub-3.4: there and back again. Each box leaves
    once, and every one is at the other hub then."""
    load = site.load
    with load.running():
        for left, taken in ((site.a, site.b), (site.b, site.a)):
            lost = {name: len(edge.lost) for name, edge in load.edges.items()}
            load.await_progress()
            site.prefer(taken)  # As a balancer does that looks at /readyz.
            told = site.drain(left)
            assert told.endswith("drained: no node is left\n"), told
            site.await_at(taken)
            load.await_connected()
            load.await_progress()
            assert {name: len(edge.lost) - lost[name] for name, edge in load.edges.items()} == dict.fromkeys(lost, 1)
            assert left.metric("skerry_cloudhub_sessions") == 0
            site.drain(left, "--undo")
