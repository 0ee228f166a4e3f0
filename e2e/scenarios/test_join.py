"""A box becomes a node; an error names the step, what was expected and seen, and the fix."""

import shutil

import pytest
from cluster import wait

from harness.clock import SteppingClock, faketime


@pytest.fixture(scope="module", name="cloud")
def fixture_cloud(system):
    """A cloud half."""
    system.cloud.start()
    return system.cloud


@pytest.fixture(name="box")
def fixture_box(system, request):
    """A box without a runtime that has not joined."""
    name = "box-" + request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-")
    return system.make_node(name, runtime=False)


def linked(box):
    """Whether the box has a session with the cloud."""
    return box.edgehub.metric("skerry_edgehub_link_connected") == 1


def refused(box, cloud, token, code, *words, **options):
    """Joins, expects failure with this exit code, and every word in what is said."""
    done = box.join(cloud, token, *options.pop("flags", ()), check=False, **options)
    said = (done.stdout + done.stderr).lower()
    assert done.returncode == code, said
    for word in words:
        assert word.lower() in said
    assert not box.joined
    return said


def test_good_token_makes_a_node(system, cloud, box):
    """[join-1] Its link comes up and the Node object appears when it reports."""
    box.join(cloud, cloud.create_token())
    assert box.identity.stat().st_mode & 0o077 == 0
    box.start()
    wait.until("the link", lambda: linked(box), 30)
    assert box.name in cloud.skerryctl("status", "--cloud", *cloud.operator_flags)


def test_joining_again_changes_nothing(system, cloud, box):
    """[join-2] A node that has joined keeps its identity."""
    token = cloud.create_token()
    box.join(cloud, token)
    before = box.identity.read_bytes()
    box.join(cloud, token)
    assert box.identity.read_bytes() == before


def test_hash_of_another_ca_is_refused(system, cloud, box):
    """[join-3] Before the token's secret is shown to anybody."""
    token = cloud.create_token()
    other = ("0" if token[0] != "0" else "1") + token[1:]
    refused(box, cloud, other, 4, "hash", "expected", "fix")


def test_expired_token_is_refused(system, cloud, box):
    """[join-4] By the hub's clock; here hub and box live a day later."""
    token = cloud.create_token("--ttl=1h")
    cloud.hub.stop()
    clock = SteppingClock(system.folder / "clock")
    clock.step(hours=2)
    cloud.hub.env = clock.env
    try:
        cloud.hub.start()
        refused(box, cloud, token, 6, "expired", "token create", env=faketime("+2h"))
    finally:
        cloud.hub.stop()
        cloud.hub.env = {}
        cloud.hub.start()


def test_revoked_and_used_tokens_are_refused(system, cloud, box):
    """[join-5] A revoked token, and a single-use token for the second time."""
    token = cloud.create_token()
    cloud.skerryctl("token", "revoke", token, *cloud.operator_flags)
    refused(box, cloud, token, 6, "revoked")
    once = cloud.create_token("--single-use")
    box.join(cloud, once)
    shutil.rmtree(box.config_dir)
    refused(box, cloud, once, 6, "used")


def test_token_of_another_node_is_refused(system, cloud, box):
    """[join-6] A token made for one node."""
    refused(box, cloud, cloud.create_token("--node=somebody-else"), 6, "another node", "fix")


def test_malformed_token_is_refused(system, cloud, box):
    """[join-7] Before anything is sent."""
    refused(box, cloud, "not-a-token", 2, "token")


def test_unreachable_hub_is_named(system, cloud, box):
    """[join-8] With the address and what to look at."""
    refused(box, cloud, cloud.create_token(), 3, "127.0.0.1:1", "fix", flags=["--cloud=https://127.0.0.1:1"])


def test_clock_that_is_off_is_named(system, cloud, box):
    """[join-9] Both ways: a certificate that is not valid yet, or any more, would make no link."""
    for offset in ("-2d", "+2d"):
        refused(box, cloud, cloud.create_token(), 5, "clock", "fix", env=faketime(offset))


def test_a_replaced_box_loses_its_link_to_its_successor(system, cloud, box):
    """[join-10] Not before the successor has linked: a join alone takes nothing away."""
    box.join(cloud, cloud.create_token())
    box.start()
    wait.until("the link", lambda: linked(box), 30)
    successor = system.make_namesake(box)
    refused(successor, cloud, cloud.create_token(), 6, "NODE_ALREADY_JOINED", "token create --node")
    successor.join(cloud, cloud.create_token(f"--node={box.name}"))
    box.edgehub.stop()
    box.edgehub.start()
    wait.until("the link of the old key", lambda: linked(box), 30)
    successor.start()
    wait.until("the link of the new key", lambda: linked(successor), 30)
    wait.until("the old key to be refused", lambda: box.edgehub.metric(
        "skerry_edgehub_session_ends_total", reason="NODE_KEY_WRONG") >= 1, 30)
    assert linked(successor)
    assert cloud.hub.metric("skerry_cloudhub_refusals_total", reason="NODE_KEY_WRONG") >= 1


def test_a_hub_that_lost_its_record_learns_it_from_the_nodes(system, cloud, box):
    """[join-11] Until an operator says that all have linked, only tokens made for a node let new names in."""
    box.join(cloud, cloud.create_token())
    box.start()
    wait.until("the link", lambda: linked(box), 30)
    cloud.hub.stop()
    for path in (cloud.folder / "hub").glob("tokens.db*"):
        path.unlink()
    cloud.hub.start()
    with pytest.raises(RuntimeError, match="NODES_NOT_KNOWN(.|\n)*--node <name>"):
        cloud.create_token()
    wait.until("the node to link again", lambda: box.name in cloud.skerryctl("status", "--cloud", *cloud.operator_flags), 30)
    token = cloud.create_token("--nodes-known")
    refused(system.make_namesake(box), cloud, token, 6, "NODE_ALREADY_JOINED", "token create --node")
    system.make_node("box-that-is-new", runtime=False).join(cloud, token)
