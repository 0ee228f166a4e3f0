#!/usr/bin/python3
"""Writes docs/reference/<package>.md from the protos of api/, and the list of them in docs/reference/README.md.

usage: tools/apidoc/generate.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import descriptors  # noqa: E402
import pages  # noqa: E402

FOLDER = descriptors.TOP / "docs/reference"
_FOREIGN = ("grpc.", "runtime.")  # Described by those whose contracts they are.
_BEGIN, _END = "<!-- packages: by tools/apidoc/generate.py -->", "<!-- end of packages -->"
_MARK = "<!-- Written by tools/apidoc"


def files():
    """{name: text} of all pages."""
    packages = {name: protos for name, protos in descriptors.present().items() if not name.startswith(_FOREIGN)}
    made = {f"{name}.md": pages.render(name, protos, packages) for name, protos in packages.items()}
    rows = [f"| [{name}]({name}.md) | {', '.join(s.name for p in protos for s in p.service)} | {pages.summary(protos)} |"
            for name, protos in packages.items()]
    readme = (FOLDER / "README.md").read_text()
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{FOLDER / 'README.md'} has no lines {_BEGIN!r} and {_END!r}: add them where the list should be")
    made["README.md"] = "\n".join([before + begin, "", "| package | services | |", "|---|---|---|", *rows, "", end + after])
    return made


def there():
    """{name: text} of those that are written: pages of packages that are no more included, pages by hand not."""
    texts = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    return {name: text for name, text in texts.items() if name == "README.md" or text.startswith(_MARK)}


def main():
    """Writes them, and removes those that are no more."""
    made = files()
    for name in set(there()) - set(made):
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)
    print(f"{len(made)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
