"""Two hubs behind one address: a node goes on at the other one, whichever goes; a session that was left behind is harmless."""

import pytest
from cluster import wait
from cluster.kube import condition, container

from harness import pods
from harness.postgres import Postgres
from harness.replicas import Site


@pytest.fixture(scope="module", name="site")
def fixture_site(system):
    """The site, with a node and a pod on it."""
    postgres = Postgres()
    site = None
    try:
        site = Site(system, postgres)
        site.start()
        system.add_node("edge-1")
        site.await_at(site.a)
        system.kubectl.apply(pods.pod("first", "echo here; sleep 1000000"))
        _ready(system, "first")
        yield site
    finally:
        for node in system.nodes.values():
            node.stop()
        if site is not None:
            site.close()
        system.cloud.stop()
        postgres.close()


def _ready(system, name):
    return system.kubectl.wait_for("pod", name, "Ready", lambda p: condition(p, "Ready") == "True", 60)


def _check_untouched(system, before):
    pod = _ready(system, "first")
    assert (container(pod)["containerID"], container(pod)["restartCount"]) == \
        (container(before)["containerID"], container(before)["restartCount"]), "a healthy container was restarted"
    assert "here" in system.kubectl("logs", "first")


def test_a_hub_is_killed_and_its_node_goes_on_at_the_other(system, site):
    """[replicas-1] L1, L9, A2."""
    before = _ready(system, "first")
    _check_untouched(system, before)
    site.a.kill()
    site.await_at(site.b)
    system.kubectl.apply(pods.pod("second"))
    _ready(system, "second")
    _check_untouched(system, before)
    site.a.start()
    wait.until("the controller to find both", lambda: site.cloud.controller.metric(
        "skerry_edgecontroller_hubs_attached") == 2, 30)


def test_a_drain_moves_the_node_and_tells_when_it_has_arrived(system, site):
    """[replicas-2] L9."""
    before = _ready(system, "first")
    site.prefer(site.a)
    told = site.drain(site.b)
    assert "hub-2: 0 nodes to move, 0 on their way" in told and told.endswith("drained: no node is left\n"), told
    site.await_at(site.a)
    assert not site.b.ready()
    _check_untouched(system, before)

    # The balancer knows nothing of it and sends the node there again.
    site.only(site.b)
    site.balancer.reset()
    wait.until("a refusal", lambda: site.b.metric("skerry_cloudhub_refusals_total", reason="DRAINING") > 0, 30)
    site.drain(site.b, "--undo")
    assert site.b.ready()
    site.await_at(site.b, 60)
    site.prefer(site.a)
    site.drain(site.b)
    site.drain(site.b, "--undo")
    site.await_at(site.a)
    _check_untouched(system, before)


def test_a_session_that_was_left_behind_is_fenced_at_once(system, site):
    """[replicas-3] L2. The box leaves a; what it said there last is kept on the way."""
    site.lead_through_proxy()
    fenced = site.a.metric("skerry_cloudhub_session_ends_total", reason="FENCED")
    site.link_of_a.hold()
    site.only(site.b)
    site.balancer.reset()
    wait.until("a to fence it", lambda: site.a.metric("skerry_cloudhub_session_ends_total", reason="FENCED") > fenced,
               8)
    site.await_at(site.b)
    site.link_of_a.release()
    site.prefer(site.a)
    site.drain(site.b)
    site.drain(site.b, "--undo")
    site.await_at(site.a)


def test_a_stale_session_writes_nothing(system, site):
    """[replicas-4] L2. a can't hear from the database that the node is at b, and delivers late what it got there."""
    dropped = site.cloud.controller.metric("skerry_edgecontroller_frames_dropped_total", reason="stale_session")
    site.lead_through_proxy()
    site.cut_database_of_a(True)
    site.link_of_a.hold()
    system.kubectl.apply(pods.pod("short", "sleep 1", restartPolicy="Never"))
    edgehub = system.nodes["edge-1"].edgehub
    wait.until("reports on the way", lambda: edgehub.metric("skerry_edgehub_journal_entries") > 0, 15)
    site.only(site.b)
    site.balancer.reset()
    wait.until("the session at b", lambda: site.nodes_at(site.b) == 1, 10)
    assert site.a.metric("skerry_cloudhub_sessions") == 1, "a has not noticed"
    site.link_of_a.release()
    system.kubectl.wait_for("pod", "short", "Succeeded", lambda p: p["status"]["phase"] == "Succeeded", 60)
    wait.until("late frames to be dropped", lambda: site.cloud.controller.metric(
        "skerry_edgecontroller_frames_dropped_total", reason="stale_session") > dropped, 30)
    wait.until("a to lose the dead connection", lambda: site.a.metric("skerry_cloudhub_sessions") == 0, 40)
    assert site.nodes_at(site.b) == 1
    assert system.kubectl.get("pod", "short")["status"]["phase"] == "Succeeded"
    site.cut_database_of_a(False)
    site.prefer(site.a)
    wait.until("a to have its database", lambda: site.a.metric("skerry_cloudhub_database_listens") == 1, 60)
    site.drain(site.b)
    site.drain(site.b, "--undo")
    site.await_at(site.a)


def test_the_database_is_away(system, site):
    """[replicas-5] link-2.8: the session goes on; a box that dials waits for it."""
    site.postgres.crash()
    try:
        system.kubectl.apply(pods.pod("meanwhile"))
        _ready(system, "meanwhile")
        site.balancer.reset()
        wait.until("a refusal", lambda: sum(hub.metric("skerry_cloudhub_refusals_total", reason="STORE_FAILED")
                                            for hub in site.cloud.hubs) > 0, 30)
        assert system.nodes["edge-1"].edgehub.metric("skerry_edgehub_link_connected") == 0
    finally:
        site.postgres.start()
    wait.until("the link", lambda: system.nodes["edge-1"].edgehub.metric("skerry_edgehub_link_connected") == 1, 60)
    system.kubectl.apply(pods.pod("after"))
    _ready(system, "after")
