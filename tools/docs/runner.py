"""Runs the blocks of a page, in order, each in the shell of its machine, and compares what they print."""

import re
import select
import shlex
import subprocess

TIMEOUT = 300
FOLDER = "/tmp/docs"  # Of the blocks and of what they print, on their machine.
_ELLIPSIS = "…"


class BlockFailed(AssertionError):
    """A block did not do what its page says."""


class Shell:
    """A bash that lives as long as the page: variables and the folder stay from block to block. `command(*argv)` is the command
    line that runs there, `path(file)` a file of there, seen from here."""

    def __init__(self, command, path, folder, env):
        self._path = path
        self._count = 0
        path(FOLDER).mkdir(parents=True, exist_ok=True)
        self._bash = subprocess.Popen(
            command("env", "-i", *(f"{name}={value}" for name, value in env.items()), "bash", "--noprofile", "--norc"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._say(f"cd {shlex.quote(str(folder))}; set -Euo pipefail")

    def _say(self, line):
        self._bash.stdin.write(f"{line}\n".encode())
        self._bash.stdin.flush()

    def run(self, text):
        """(whether every command succeeded, standard output, standard error)."""
        self._count += 1
        base = f"{FOLDER}/{self._count}"
        self._path(f"{base}.sh").write_text("trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n" + text)
        self._say(f"set -e; . {base}.sh </dev/null >{base}.out 2>{base}.err; set +e; echo done")
        ready, _, _ = select.select([self._bash.stdout], [], [], TIMEOUT)
        done = bool(ready) and self._bash.stdout.readline() == b"done\n"
        error = self._path(f"{base}.err").read_text(errors="replace")
        if not ready:
            error += f"\nit did not end within {TIMEOUT} s"
        return done, self._path(f"{base}.out").read_text(errors="replace"), error

    def close(self):
        """Ends it, whatever it does."""
        self._bash.kill()
        self._bash.communicate()


def _pattern(line):
    parts = (r"\s+".join(re.escape(word) for word in re.split(r"\s+", part)) for part in line.strip().split(_ELLIPSIS))
    return ".*".join(parts)


def matches(expected, seen):
    """Whether `seen` is what `expected` says: "…" stands for anything within a line and, alone, for any lines; the width of gaps
    does not count."""
    lines = [line for line in expected.splitlines() if line.strip()]
    pattern = "".join(r"(?:[^\n]*\n)*?" if line.strip() == _ELLIPSIS else rf"[ \t]*{_pattern(line)}[ \t]*\n" for line in lines)
    text = "".join(f"{line}\n" for line in seen.splitlines() if line.strip())
    return re.fullmatch(pattern.replace(r"\s+", r"[ \t]+"), text) is not None


def run_page(page, shells):
    """Runs what runs. shells(name) is the Shell of a machine; BlockFailed says which block, and what it printed."""
    printed = None
    for block in page.blocks:
        where = f"{page.path}:{block.line}"
        if block.runs:
            done, printed, error = shells(block.options.get("on", page.head.get("on", ""))).run(block.text)
            print(f"-- {where}\n{printed}{error}", flush=True)
            if not done:
                raise BlockFailed(f"{where}: this block failed:\n{block.text}\nit printed:\n{printed}\n{error}")
        elif block.language == "text" and printed is not None:
            if not matches(block.text, printed):
                raise BlockFailed(f"{where}: the block before should print:\n{block.text}\nit printed:\n{printed}")
        else:
            printed = None
