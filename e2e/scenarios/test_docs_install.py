"""How to install: every block of commands runs, in order, on machines as the page takes them."""

import pytest

from harness import handbook


# Those that READMEs begin after run with them, in test_docs_readmes.py.
PAGES = [page for page in handbook.all_pages("docs/install/") if page not in handbook.with_readmes()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_page(page):
    """It does what it says."""
    failure = handbook.run(page)
    if failure is not None:
        pytest.fail(failure, pytrace=False)
