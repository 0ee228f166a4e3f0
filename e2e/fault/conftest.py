"""Fixtures of the fault scenarios."""

import pytest
from cluster import wait
from harness.field import Field


@pytest.fixture(scope="module", name="field")
def fixture_field(request):
    """A cloud and two boxes under a load that the scenarios of one file share: faults are edge-1's, edge-2 is what must
    not notice."""
    field = Field(request.module.__name__)
    try:
        field.start("edge-1", "edge-2")
        yield field
    finally:
        field.close()


@pytest.fixture(scope="module", name="quiet_field")
def fixture_quiet_field(request):
    """A cloud and one box; nothing goes between them but what the link itself needs. INTERVAL of the file is the hub's
    heartbeat interval in seconds."""
    field = Field(request.module.__name__)
    try:
        field.cloud.hub.settings["link.heartbeat_interval"] = f"{request.module.INTERVAL}s"
        field.cloud.start()
        field.add_box("edge-1")
        yield field
    finally:
        field.close()


@pytest.fixture(name="quiet_node")
def fixture_quiet_node(quiet_field):
    """Its box, in sync."""
    node = quiet_field.nodes["edge-1"]
    wait.until("the box to be in sync", node.meta.ready)
    return node


@pytest.fixture(name="load")
def fixture_load(field):
    """The load; every box is connected when a scenario begins."""
    field.load.await_connected()
    return field.load


@pytest.fixture(name="kills")
def fixture_kills(request):
    """How many processes die."""
    given = request.config.getoption("--kills")
    return given if given is not None else 1000 if request.config.getoption("--long") else 50
