"""Checks of documents: every block says what it is, and what tests it; links lead somewhere."""

import os
import re
import sys

from tree import Finding

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs"))

# pylint: disable=wrong-import-position,wrong-import-order
import pages  # noqa: E402

_PAGE = re.compile(r"\.md$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")
_FENCE = re.compile(r"^ *```")
_COMMANDS = re.compile(r" && |docker-compose .*\b(?:up|pull|down)\b.* -")
_HISTORY = ("docs/adr/", "docs/measurements/")
_HEADING = re.compile(r"^#+ +(.*)")


def check_blocks(tree):
    """Fences of all pages are run, compared, or say who checks them instead."""
    for path in tree.files:
        if not _PAGE.search(path):
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


def _prose(tree, path):
    """(number, line) outside of fenced blocks."""
    fenced = False
    for number, line in tree.lines(path):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def check_commands(tree):
    """What is to be typed as it stands is a block, which a test runs or says why not: in text nobody sees that it fails."""
    for path in tree.with_ending(".md"):
        if not path.startswith(_HISTORY):
            for number, line in _prose(tree, path):
                for code in _CODE.findall(line):
                    if _COMMANDS.search(code):
                        yield Finding(path, number, "untested-command", f"{code}: make it a block, ```sh")


def _anchors(tree, path):
    """Names by which headings are linked to, as GitHub makes them."""
    found = set()
    for _, line in _prose(tree, path):
        heading = _HEADING.match(line)
        if heading:
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def check_links(tree):
    """Links between files of the tree, with their headings."""
    for path in tree.with_ending(".md"):
        for number, line in _prose(tree, path):
            for link in _LINK.findall(_CODE.sub("", line)):
                if "://" in link or link.startswith("mailto:"):
                    continue
                name, _, anchor = link.partition("#")
                target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not os.path.exists(os.path.join(tree.root, target)):
                    yield Finding(path, number, "broken-link", f"there is no {target}: mend the link")
                elif anchor and target.endswith(".md") and anchor not in _anchors(tree, target):
                    yield Finding(path, number, "broken-link", f"{target} has no heading for #{anchor}")
