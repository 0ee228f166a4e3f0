"""Commands of pages whose blocks can't run as they stand: scenarios give them, and see here that they are the page's."""

from . import handbook


def commands(page, word=""):
    """Each command of the page's blocks, in one line; of those with a word in it."""
    blocks = [block for block in handbook.read(page).blocks if block.language == "sh"]
    lines = [line.strip() for block in blocks for line in block.text.replace("\\\n", " ").splitlines()]
    return [" ".join(line.split()) for line in lines if word in line]


def check(page, *words):
    """AssertionError if the page says otherwise."""
    command = " ".join(map(str, words))
    assert command in commands(page), f"{page} has no block with: {command}"
