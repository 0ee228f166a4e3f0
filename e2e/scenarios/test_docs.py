"""The documentation does what it says: every block of commands of a page runs, in order, on machines as the page takes them."""

import pytest
from cluster.binaries import Binaries

from harness import handbook


def test_every_fixture_that_a_page_names_is_there():
    """Else its page would run nowhere."""
    assert {page.head["fixture"] for page in handbook.all_pages()} <= set(handbook.FIXTURES)


@pytest.mark.parametrize("page", handbook.all_pages(), ids=lambda page: page.path)
def test_page(page):
    """What runs before it, makes what it begins with; the report of a failure has the journals of the machines."""
    run = handbook.chain(page)
    place = handbook.FIXTURES[page.head["fixture"]](run, Binaries())
    failure = None
    try:
        for part in run:
            handbook.runner.run_page(part, place.shell)
    except AssertionError as error:
        failure = f"{error}\n{place.describe()}"
    finally:
        place.close()
    if failure is not None:
        pytest.fail(failure, pytrace=False)
