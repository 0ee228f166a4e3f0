#!/usr/bin/python3
"""Refuses changes of api/ that break who was built against it: compares the protos with api/testdata/descriptors.

usage: tools/apidoc/check.py            exits 1 where something breaks, or was added and is not accepted yet
       tools/apidoc/check.py --accept   takes over what was added; exits 1 and writes nothing where something breaks

Comments may change, and what was never released may go: remove the package's golden file by hand, then --accept; the
diff shows it to whoever reviews.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import compat  # noqa: E402
import descriptors  # noqa: E402


def find(old, new):
    """(what breaks, packages whose golden file is not what there is)."""
    broken = []
    for package, files in old.items():
        if package in new:
            broken += compat.breaks(files, new[package])
        else:
            broken.append(f"package {package} is gone: keep it")
    stale = [package for package, files in new.items()
             if package not in old or descriptors.render(files) != descriptors.render(old[package])]
    return broken, stale


def main(arguments):
    """Prints one finding a line."""
    if arguments not in ([], ["--accept"]):
        print(__doc__, file=sys.stderr)
        return 2
    new = descriptors.present()
    broken, stale = find(descriptors.golden(), new)
    for line in broken:
        print(f"api: {line}")
    if broken:
        return 1
    if not arguments:
        for package in stale:
            print(f"api: package {package} has additions: run tools/apidoc/check.py --accept and commit what it writes")
        return 1 if stale else 0
    descriptors.GOLDEN.mkdir(parents=True, exist_ok=True)
    for package in stale:
        (descriptors.GOLDEN / f"{package}.txtpb").write_text(descriptors.render(new[package]))
    print(f"{len(stale)} packages accepted in {descriptors.GOLDEN}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
