"""What operators do: every block of commands runs, in order, on machines as the page takes them."""

import pytest

from harness import handbook


@pytest.mark.parametrize("page", handbook.all_pages("docs/ops/"), ids=lambda page: page.path)
def test_page(page):
    """It does what it says."""
    failure = handbook.run(page)
    if failure is not None:
        pytest.fail(failure, pytrace=False)
