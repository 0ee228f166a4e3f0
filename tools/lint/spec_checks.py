"""Checks of the specification: what it promises is tested."""

import re

from tree import Finding

_SPEC = "docs/spec/link.md"
_RULE = re.compile(r"^- \*\*(link-\d+\.\d+)\*\*")
_CITATION = re.compile(r"\blink-\d+\.\d+\b")
# test_x.py, x_test.cc, testdata/x.txt; not the tests of this check, whose rules are made up.
_TEST = re.compile(r"(^|/)test_[^/]*\.py$|_test\.cc$|(^|/)testdata/")


def check_rules(tree):
    """Every rule of the link is cited by a test."""
    cited = set()
    for path in tree.files:
        if _TEST.search(path):
            cited.update(_CITATION.findall(tree.text(path)))
    for path in tree.with_ending(_SPEC):
        for number, line in tree.lines(path):
            rule = _RULE.match(line)
            if rule and rule.group(1) not in cited:
                yield Finding(path, number, "untested-rule",
                              f"no test cites {rule.group(1)}: write one that can fail, and name the rule beside it")
