"""Fixtures of all scenarios, and what is shown of a system in which one failed."""

import signal
import sys
import threading
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tools/dev"), str(TOP / "e2e")]

# pylint: disable=wrong-import-position
from harness.system import System  # noqa: E402


def pytest_addoption(parser):
    """Options of the fault scenarios (fault/)."""
    group = parser.getgroup("faults")
    group.addoption("--long", action="store_true", help="the nightly form: 1,000 kills instead of 50")
    group.addoption("--kills", type=int, help="how many kills, whatever the form")


def pytest_configure(config):
    """SIGTERM ends a run as Ctrl-C does: nothing that the scenarios started outlives it."""
    config.addinivalue_line("markers", "alone: measures delays or what is sent, so nothing else may run beside it")
    config.addinivalue_line("markers", "text: holds what documents say against the programs; starts nothing that stays")
    # A worker of xdist whose first thread is taken runs this on another, where Python allows no handler.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _make(request):
    system = System(request.module.__name__)
    try:
        yield system
    finally:
        system.close()


@pytest.fixture(scope="module", name="system")
def fixture_system(request):
    """A system that the scenarios of one file share: nothing runs in it yet."""
    yield from _make(request)


@pytest.fixture(name="fresh_system")
def fixture_fresh_system(request):
    """A system of one scenario's own."""
    yield from _make(request)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the state and the logs of every running system to the report of a scenario that failed."""
    report = (yield).get_result()
    if report.failed and call.when in ("setup", "call"):
        for system in System.alive:
            report.sections.append((f"system of {item.nodeid}", system.describe()))
