"""Checks of the documentation: every block says what it is, and what tests it."""

import os
import re
import sys

from tree import Finding

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs"))

# pylint: disable=wrong-import-position,wrong-import-order
import pages  # noqa: E402

_PAGE = re.compile(r"^(docs/.*|README)\.md$")


def check_blocks(tree):
    """Fences of docs/ and README.md are run, compared, or say who checks them instead."""
    for path in tree.files:
        if not _PAGE.match(path):
            continue
        try:
            page = pages.parse(path, tree.text(path))
        except pages.BadPage as error:
            yield Finding(path, error.line, "untested-block", str(error))
            continue
        for block in page.blocks:
            checked_by = block.options.get("checked-by")
            if checked_by is not None and not os.path.exists(os.path.join(tree.root, checked_by)):
                yield Finding(path, block.line, "untested-block", f"there is no {checked_by}: name the test that is there")
        for before in page.after:
            if before not in tree.files:
                yield Finding(path, 1, "untested-block", f"after={before}: there is no such page")
