"""The other pages of the documentation: every block of commands runs, in order, on machines as the page takes them."""

import pytest

from harness import handbook

OTHERS = ("docs/install/", "docs/ops/", "docs/runbooks/")


def test_every_fixture_that_a_page_names_is_there():
    """Else its page would run nowhere."""
    assert {page.head["fixture"] for page in handbook.all_pages()} <= set(handbook.FIXTURES)


@pytest.mark.parametrize("page", [page for page in handbook.all_pages() if not page.path.startswith(OTHERS)],
                         ids=lambda page: page.path)
def test_page(page):
    """It does what it says."""
    failure = handbook.run(page)
    if failure is not None:
        pytest.fail(failure, pytrace=False)
