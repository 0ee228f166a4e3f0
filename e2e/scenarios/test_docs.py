"""The other pages of the documentation: every block of commands runs, in order, on machines as the page takes them."""

import pytest
from cluster.binaries import Binaries

from harness import handbook

OTHERS = ("docs/install/", "docs/ops/", "docs/runbooks/", *handbook.readmes())


def test_every_fixture_that_a_page_names_is_there():
    """Else its page would run nowhere."""
    assert {page.head["fixture"] for page in handbook.all_pages()} <= set(handbook.FIXTURES)


def test_units_are_valid():
    """Of both halves, those too that no page starts: systemd has nothing to say about them."""
    place = handbook.Machines([handbook.read("docs/install/box.md")], Binaries())
    try:
        done, printed, said = place.shell("box").run(
            "systemd/install box\nsystemd/install cloud\n"
            "systemd-analyze verify --man=no $(ls systemd/box systemd/cloud | grep -E 'service$|target$') 2>&1\n")
        assert done and printed == "", printed + said
    finally:
        place.close()


@pytest.mark.parametrize("page", [page for page in handbook.all_pages() if not page.path.startswith(OTHERS)],
                         ids=lambda page: page.path)
def test_page(page):
    """It does what it says."""
    failure = handbook.run(page)
    if failure is not None:
        pytest.fail(failure, pytrace=False)
