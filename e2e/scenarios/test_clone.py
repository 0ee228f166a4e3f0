"""Two boxes with one disk: the copy is refused and the alarm raised; the node stays what it was."""

import json
import shutil
import sqlite3

import pytest
from cluster import wait


@pytest.fixture(scope="module", name="cloud")
def fixture_cloud(system):
    """A cloud half."""
    system.cloud.start()
    return system.cloud


@pytest.fixture(name="box")
def fixture_box(system, cloud, request):
    """A box without a runtime that is linked."""
    box = system.make_node(request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-"), runtime=False)
    box.join(cloud, cloud.create_token())
    box.start()
    wait.until("the link", lambda: linked(box) and stored_epoch(box) == session(cloud, box), 30)
    return box


def linked(box):
    """Whether the box has a session with the cloud."""
    return box.edgehub.metric("skerry_edgehub_link_connected") == 1


def session(cloud, box):
    """The epoch of the node's session; None while there is none."""
    sessions = json.loads(cloud.skerryctl("status", "--cloud", "-o", "json", *cloud.operator_flags))["sessions"]
    return next((int(item["epoch"]) for item in sessions if item["node"] == box.name), None)


def stored_epoch(box):
    """What the box's disk says of its last session."""
    connection = sqlite3.connect(f"file:{box.state_dir / 'edgehub.db'}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute("SELECT epoch FROM journal").fetchone()[0]
    finally:
        connection.close()


def copy_disk(box, copy):
    """What a copied disk has: identity, configuration and state; only the folders are the copy's own."""
    copy.folder.mkdir(parents=True)
    shutil.copytree(box.config_dir, copy.config_dir)
    copy.state_dir.mkdir()
    with sqlite3.connect(box.state_dir / "edgehub.db") as live, sqlite3.connect(copy.state_dir / "edgehub.db") as disk:
        live.backup(disk)  # The services run.
    for config in copy.config_dir.glob("*.yaml"):
        config.write_text(config.read_text().replace(f"{box.folder}/", f"{copy.folder}/"))
    return copy


def refused(box):
    """How often the box was told that it is a copy."""
    return box.edgehub.metric("skerry_edgehub_session_ends_total", reason="NODE_CLONED")


def test_a_copy_of_a_running_box_is_refused(system, cloud, box):
    """[clone-1] It takes the session once, for so far it may be a restart; then the box has it back for good."""
    alarms = cloud.hub.metric("skerry_cloudhub_refusals_total", reason="NODE_CLONED")
    copy = copy_disk(box, system.make_namesake(box))
    copy.edgehub.start()
    wait.until("the copy to be refused", lambda: refused(copy) >= 1, 60)
    wait.until("the box to have its session", lambda: linked(box), 30)
    epoch = session(cloud, box)
    assert not linked(copy)
    assert cloud.hub.metric("skerry_cloudhub_refusals_total", reason="NODE_CLONED") > alarms
    assert "skerryctl join --force" in copy.edgehub.log_tail()
    assert "two boxes have the key of one node" in cloud.hub.log_tail(50)
    copy.edgehub.stop()
    copy.edgehub.start()
    wait.until("the copy to be refused again", lambda: refused(copy) >= 1, 60)
    assert session(cloud, box) == epoch == stored_epoch(box)


def test_a_box_that_is_restarted_or_loses_its_store_is_no_copy(system, cloud, box):
    """[clone-2] Stopped, killed, with its state gone, or booted while its old connection is half-open."""
    for end in (box.edgehub.stop, box.edgehub.kill, box.edgehub.kill):
        epoch = session(cloud, box)
        end()
        box.edgehub.start()
        wait.until("a new session", lambda e=epoch: linked(box) and session(cloud, box) > e, 30)
        assert refused(box) == 0
    box.edgehub.kill()
    for path in box.state_dir.glob("edgehub.db*"):
        path.unlink()
    box.edgehub.start()
    wait.until("a new session", lambda: linked(box), 30)
    assert refused(box) == 0
    fenced = cloud.hub.metric("skerry_cloudhub_session_ends_total", reason="FENCED")
    box.edgehub.pause()  # Its connection stays, as that of a box without power.
    booted = copy_disk(box, system.make_namesake(box))
    booted.edgehub.start()
    wait.until("a session at once", lambda: linked(booted), 30)
    assert cloud.hub.metric("skerry_cloudhub_session_ends_total", reason="FENCED") == fenced + 1
    assert refused(booted) == 0


def test_a_restored_backup_becomes_the_node_by_a_new_key(system, cloud, box):
    """[clone-3] It is refused, and told how it gets in; then the old box is out."""
    backup = copy_disk(box, system.make_namesake(box))
    for _ in range(2):
        box.edgehub.stop()
        box.edgehub.start()
        wait.until("the link", lambda: linked(box), 30)
    epoch = session(cloud, box)
    backup.edgehub.start()
    wait.until("the backup to be refused", lambda: refused(backup) >= 1, 30)
    assert session(cloud, box) == epoch, "an old disk does not cost the box its session"
    backup.join(cloud, cloud.create_token(f"--node={box.name}"), "--force")
    wait.until("the link of the new key", lambda: linked(backup), 90)
    wait.until("the old key to be refused", lambda: box.edgehub.metric(
        "skerry_edgehub_session_ends_total", reason="NODE_KEY_WRONG") >= 1, 60)
    assert linked(backup)
