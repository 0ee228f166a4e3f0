"""What a page may say, and when a block has printed what it should."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import pages  # noqa: E402
import runner  # noqa: E402

HEAD = "# T\n<!-- docs: fixture=machines on=cloud -->\n"


def test_blocks_are_read_with_their_options_and_lines():
    """Those in lists lose the list's indentation."""
    page = pages.parse("p.md", HEAD + '1. x\n\n   ```sh on=box\n   echo a\n     b\n   ```\n```sh skip="no net" checked-by=x.py\nrm\n```\n')
    assert [(block.language, block.text, block.line, block.runs) for block in page.blocks] == [
        ("sh", "echo a\n  b\n", 5, True), ("sh", "rm\n", 9, False)]
    assert page.blocks[0].options == {"on": "box"}
    assert page.head == {"fixture": "machines", "on": "cloud"}


@pytest.mark.parametrize("text, line", [
    ("# T\n```\nx\n```\n", 2),
    ("# T\n```bash\nx\n```\n", 2),
    ("# T\n```sh\nx\n```\n", 2),  # Nobody knows where.
    (HEAD + "```sh\nx\n", 3),
    (HEAD + '```sh skip="because"\nx\n```\n', 3),
    (HEAD + "```sh where=box\nx\n```\n", 3),
    (HEAD + "```yaml\nx: 1\n```\n", 3),
    (HEAD + "```text\nx\n```\n", 3),
    ("# T\n<!-- docs: fixtures=machines -->\n", 2),
])
def test_what_can_not_be_tested_is_refused(text, line):
    """With the line to mend."""
    with pytest.raises(pages.BadPage) as failed:
        pages.parse("p.md", text)
    assert failed.value.line == line


@pytest.mark.parametrize("expected, seen, same", [
    ("a b\n", "a b\n", True),
    ("a b\n", "  a     b  \n", True),
    ("a b\n", "a b c\n", False),
    ("a b\n", "ab\n", False),
    ("a … c\n", "a b b c\n", True),
    ("a … c\n", "a b\nc\n", False),
    ("a…c\n", "ac\n", True),
    ("a\n…\nc\n", "a\nc\n", True),
    ("a\n…\nc\n", "a\nb\nb\nc\n", True),
    ("a\n…\n", "b\n", False),
    ("a.c\n", "abc\n", False),
    ("a\n", "a\n\n", True),
    ("a\n", "", False),
])
def test_output_is_compared(expected, seen, same):
    """Wildcards where they are written, and nowhere else."""
    assert runner.matches(expected, seen) is same


def run(shell, text):
    """A page of that text."""
    runner.run_page(pages.parse("p.md", HEAD + text), lambda name: {"cloud": shell}[name])


@pytest.fixture(name="local")
def fixture_local(monkeypatch, tmp_path):
    """The folder of the blocks is below the test's own."""
    monkeypatch.setattr(runner, "FOLDER", str(tmp_path / "blocks"))


def test_a_page_runs_in_one_shell(local, tmp_path):  # pylint: disable=unused-argument
    """Variables and the folder stay; the first failure ends it, and is told with what was printed."""
    shell = runner.Shell(lambda *argv: list(argv), Path, tmp_path, {"PATH": "/usr/bin:/bin"})
    try:
        run(shell, "```sh\nx=1; mkdir a; cd a\n```\n```sh\necho $x $PWD\n```\n```text\n1 …/a\n```\n")
        with pytest.raises(runner.BlockFailed, match="p.md:6: the block before"):
            run(shell, "```sh\necho 1\n```\n```text\n2\n```\n")
        with pytest.raises(runner.BlockFailed, match="(?s)seen.*failed: false"):
            run(shell, "```sh\necho seen\nfalse\necho not\n```\n")
    finally:
        shell.close()


def test_an_unset_variable_and_a_broken_pipe_are_failures(local, tmp_path):  # pylint: disable=unused-argument
    """As in a script of somebody who is careful."""
    for text in ("echo $nowhere\n", "false | true\n"):
        shell = runner.Shell(lambda *argv: list(argv), Path, tmp_path, {"PATH": "/usr/bin:/bin"})
        try:
            with pytest.raises(runner.BlockFailed):
                run(shell, f"```sh\n{text}```\n")
        finally:
            shell.close()


def test_every_page_can_be_read():
    """The lint's check, on the tree as it is."""
    top = Path(__file__).resolve().parents[2]
    listed = subprocess.run(["git", "-C", top, "ls-files", "*.md"], check=True, text=True, stdout=subprocess.PIPE).stdout
    for path in listed.split():
        pages.parse(path, (top / path).read_text())
