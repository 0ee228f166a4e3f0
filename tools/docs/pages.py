"""Pages of documentation and the fenced blocks in them. What an info string may say is in README.md beside this file."""

import dataclasses
import re
import shlex

_FENCE = re.compile(r"^( *)(`{3,})([^`]*)$")
_HEAD = re.compile(r"<!-- +docs: +(.*?) +-->")
_OPTIONS = {"on", "skip", "checked-by"}
_HEAD_OPTIONS = {"fixture", "on", "after"}
# Shown to be read; nobody types them.
_READ = {"figure"}
# Typed into a file by somebody, perhaps: a test has to have such a one.
_EXCERPTS = {"yaml", "json", "ini", "proto", "promql", "python", "cpp"}


class BadPage(ValueError):
    """A page that can't be tested; `line` and the message say why."""

    def __init__(self, line, message):
        super().__init__(message)
        self.line = line


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its language, options, text, and the line of its fence."""

    language: str
    options: dict
    text: str
    line: int

    @property
    def runs(self):
        """Whether a test runs it."""
        return self.language == "sh" and "skip" not in self.options


@dataclasses.dataclass(frozen=True)
class Page:
    """`head` has the options of the page's "<!-- docs: … -->"."""

    path: str
    head: dict
    blocks: list

    @property
    def runs(self):
        """Whether there is anything to run."""
        return any(block.runs for block in self.blocks)

    @property
    def after(self):
        """Pages whose blocks run first, to make what this one begins with."""
        return [path for path in self.head.get("after", "").split(",") if path]


def _options(words, allowed, line):
    options = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in allowed or not equals or not value:
            raise BadPage(line, f"'{word}' is no option; there are {', '.join(f'{name}=…' for name in sorted(allowed))}")
        options[name] = value
    return options


def _head(text):
    found = _HEAD.search(text)
    if found is None:
        return {}
    line = text.count("\n", 0, found.start()) + 1
    return _options(shlex.split(found.group(1)), _HEAD_OPTIONS, line)


def parse(path, text):
    """The page; BadPage where a fence has no end, or an info string is not one of ours."""
    blocks, opened = [], None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened = (number, len(fence.group(1)), fence.group(2), fence.group(3).strip(), [])
        elif opened is not None and fence and len(fence.group(2)) >= len(opened[2]) and not fence.group(3).strip():
            blocks.append(_block(opened))
            opened = None
        elif opened is not None:
            indent = min(opened[1], len(line) - len(line.lstrip(" ")))
            opened[4].append(line[indent:])
    if opened is not None:
        raise BadPage(opened[0], "this block has no end")
    page = Page(path, _head(text), blocks)
    _check_order(page)
    return page


def _block(opened):
    line, _, _, info, lines = opened
    try:
        words = shlex.split(info)
    except ValueError as error:
        raise BadPage(line, f"'{info}': {error}") from None
    if not words:
        raise BadPage(line, "this block does not say what it is: sh (a test runs it), text (what the sh before it prints), "
                            "figure, or sh skip=\"why\" checked-by=<path>; see tools/docs/README.md")
    block = Block(words[0], _options(words[1:], _OPTIONS, line), "".join(f"{text}\n" for text in lines), line)
    if block.language not in {"sh", "text"} | _READ | _EXCERPTS:
        raise BadPage(line, f"'{block.language}' is no language of a block; see tools/docs/README.md")
    if block.language in _EXCERPTS and "checked-by" not in block.options:
        raise BadPage(line, f"{block.language} is not run: name the test or the tested file that has it, checked-by=<path>")
    if "skip" in block.options and "checked-by" not in block.options:
        raise BadPage(line, "what checks it instead? checked-by=<path>")
    return block


def _check_order(page):
    before = None
    for block in page.blocks:
        if block.language == "text" and before is None:
            raise BadPage(block.line, "text is what the sh block before it prints, and there is none; else it is a figure")
        before = block if block.language == "sh" else None
    if page.runs and "fixture" not in page.head:
        line = next(block.line for block in page.blocks if block.runs)
        raise BadPage(line, 'it runs, but where? <!-- docs: fixture=… --> below the title; see tools/docs/README.md')
