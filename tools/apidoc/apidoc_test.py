"""The pages and golden descriptors are those of the protos; which changes are refused, and with what words."""

import re
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import check  # noqa: E402
import compat  # noqa: E402
import descriptors  # noqa: E402
import generate  # noqa: E402
import pages  # noqa: E402

ERRORS = TOP / "docs/reference/errors.md"

BASE = """syntax = "proto3";
package a.v1;
// What there is.
service Things {
  // Gets one. NOT_FOUND / THING_UNKNOWN.
  rpc Get(Ask) returns (Thing);
  rpc Watch(Ask) returns (stream Thing);
}
message Ask { string name = 1; }
message Thing {
  reserved 9;  // Never released.
  enum Kind {
    KIND_UNSPECIFIED = 0;
    KIND_ROUND = 1;  // Without | corners.
  }
  string name = 1;  // Required. "things/{thing}", <= 64 bytes.
  int32 size = 2;
  Kind kind = 3;
  repeated string tags = 4;
  map<string, Ask> by_name = 5;
  oneof shape {
    bool flat = 6;
    bool deep = 7;
  }
}
"""


def compiled(folder, text):
    """Descriptors of one file."""
    (folder / "a.proto").write_text(text)
    return descriptors.compile_protos(folder, ["a.proto"])


def changed(text, before, after):
    """The text with a piece exchanged that is there once."""
    assert text.count(before) == 1, before
    return text.replace(before, after)


# ---- what is committed

def test_the_pages_are_those_of_the_protos():
    assert generate.there() == generate.files(), "run tools/apidoc/generate.py"


def test_the_golden_descriptors_are_those_of_the_protos():
    """In two steps: what breaks is to be mended, what was added to be accepted."""
    broken, stale = check.find(descriptors.golden(), descriptors.present())
    assert not broken
    assert not stale, "run tools/apidoc/check.py --accept and commit what it writes"


def test_links_of_the_pages_lead_somewhere():
    texts = {path.name: path.read_text() for path in generate.FOLDER.glob("*.md")}
    anchors = {name: {pages.anchor(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
               for name, text in texts.items()}
    for name, text in texts.items():
        for target in re.findall(r"(?<!\\)\]\(([^)\s]+)\)", text):
            file, _, part = target.partition("#")
            if file.startswith("https:"):
                continue
            assert not file or (generate.FOLDER / file).exists(), f"{name} links to {target}"
            assert not part or part in anchors[file or name], f"{name} links to {target}"


CODES = ("CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
         "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED")
NAMED = re.compile(rf"\b(?:{'|'.join(CODES)}) / ([A-Z_]+(?:(?:, | or |, or )[A-Z]+(?:_[A-Z]+)+\b(?! /))*)")
# What stands between a service and its peers; what is behind it is told in its words.
SURFACE = re.compile(r"/(?:service|gateway)/|/[a-z_]*service\.(?:h|cc)$|/command_desk\.cc$|/tunnel_call\.h$")
# Of a process, an HTTP server or the Kubernetes API: no peer of a gRPC API or of the REST endpoint gets them.
ELSEWHERE = {"NO_CONFIGURATION", "STORED_OBJECT_BROKEN"}


def sources():
    """{path from services/: text} of what is built into the services."""
    return {str(path.relative_to(TOP / "services")): path.read_text() for path in (TOP / "services").rglob("*")
            if path.suffix in (".h", ".cc") and not path.stem.endswith("_test")}


def named_by_protos(folder):
    """Reasons that the comments of a folder's protos name, each behind its code."""
    named = set()
    for path in folder.rglob("*.proto"):
        text = re.sub(r"\s*\n\s*//\s*", " ", path.read_text())
        for match in NAMED.finditer(text):
            named.update(re.findall(r"[A-Z_]{4,}", match.group(1)))
    return named


def test_no_comment_goes_on_behind_a_field():
    """protoc gives its second line to the next field."""
    for path in (TOP / "api").rglob("*.proto"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not re.match(r" {8,}//", line), f"{path}:{number}: put the comment above its field"


def test_errors_that_are_described_are_made():
    described = set(re.findall(r"^\| `([A-Z_]+)`", ERRORS.read_text(), re.MULTILINE))
    assert described, "the table has gone"
    made = "".join(sources().values())
    for reason in sorted(described):
        assert f'"{reason}"' in made, f"docs/reference/errors.md names {reason}, which nothing makes"
    packages = [folder for folder in sorted((TOP / "api/skerry").iterdir()) if folder.is_dir()]
    assert len(packages) > 10
    for folder in packages:
        for reason in sorted(named_by_protos(folder)):
            assert f'"{reason}"' in made, f"a proto of {folder.name} names {reason}, which nothing makes"
    named = named_by_protos(TOP / "api/skerry/devicecontroller")
    assert len(named) > 20
    assert named <= described, f"docs/reference/errors.md lacks {sorted(named - described)}"


def test_errors_that_are_made_are_described():
    """By a proto, by errors.md, or by a README of the service; each in code font or as a word of a comment."""
    common = ERRORS.read_text() + "".join(path.read_text() for path in (TOP / "api/skerry").rglob("*.proto"))
    missing, seen = [], set()
    for name, text in sources().items():
        if not SURFACE.search(f"/{name}") or "/testing/" in name:
            continue
        folder = TOP / "services" / name.partition("/")[0]
        readmes = "".join(path.read_text() for path in folder.rglob("README.md")) if folder.name != "lib" else ""
        known = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", common + readmes))
        made = set(re.findall(r'\bReason\(\s*"([A-Z_]+)"', text))
        seen |= made
        missing += [f"{reason} of services/{name}" for reason in sorted(made - known - ELSEWHERE)]
    assert len(seen) > 40
    assert not missing, "name them in a comment of their method's proto, or in the service's README: " + "; ".join(missing)


# ---- pages

def test_a_page_says_what_the_proto_says(tmp_path):
    page = pages.render("a.v1", compiled(tmp_path, BASE))
    assert "| [Things.Watch](#thingswatch) | [Ask](#ask) | stream of [Thing](#thing) |" in page
    assert "Gets one. NOT_FOUND / THING_UNKNOWN." in page
    assert r'| `name` | 1 | string | Required. "things/{thing}", \<= 64 bytes. |' in page
    assert "| `tags` | 4 | repeated string |" in page
    assert "| `by_name` | 5 | map of string to [Ask](#ask) |" in page
    assert "| `flat` | 6 | bool | One of `shape`. |" in page
    assert r"| `KIND_ROUND` | 1 | Without \| corners. |" in page
    assert "ByNameEntry" not in page


# ---- the check

REFUSED = {
    "field gone": ("  int32 size = 2;\n", "", ["field a.v1.Thing.size = 2 is gone", "reserved 2;"]),
    "number used for another field": ("int32 size = 2;", "int32 weight = 2;", ["Thing.size = 2 is weight now"]),
    "number changed": ("int32 size = 2;", "int32 size = 8;", ["Thing.size = 2 has the number 8 now"]),
    "type changed": ("int32 size = 2;", "string size = 2;", ["was int32 and is string now"]),
    "enum to number": ("Kind kind = 3;", "int32 kind = 3;", ["was a.v1.Thing.Kind and is int32 now"]),
    "repeated no more": ("repeated string tags", "string tags", ["was repeated string and is string now"]),
    "value type of a map": ("map<string, Ask>", "map<string, Thing>", ["ByNameEntry.value = 2 was a.v1.Ask"]),
    "optional added": ("int32 size", "optional int32 size", ['"optional" was added']),
    "out of its oneof": ("oneof shape {\n    bool flat = 6;", "bool flat = 6;\n  oneof shape {", ["Thing.flat = 6"]),
    "reserved number taken": ("reserved 9;", "int32 new = 9;", ["Thing.new = 9 takes a reserved number"]),
    "reserved forgotten": ("  reserved 9;  // Never released.\n", "", ['a.v1.Thing has lost "reserved 9;"']),
    "enum value gone": ("    KIND_ROUND = 1;  // Without | corners.\n", "", ["value a.v1.Thing.Kind.KIND_ROUND = 1 is gone"]),
    "enum value renamed": ("KIND_ROUND", "KIND_SQUARE", ["KIND_ROUND = 1 is KIND_SQUARE now"]),
    "method gone": ("  rpc Watch(Ask) returns (stream Thing);\n", "", ["method a.v1.Things.Watch is gone"]),
    "stream of responses": ("returns (stream Thing)", "returns (Thing)", ["was a stream of responses and is unary now"]),
    "stream of requests": ("Get(Ask)", "Get(stream Ask)", ["Things.Get was unary and is a stream of requests now"]),
    "request of another type": ("Get(Ask)", "Get(Thing)", ["Things.Get takes a.v1.Thing now, not a.v1.Ask"]),
    "response of another type": ("(Ask) returns (Thing)", "(Ask) returns (Ask)", ["Things.Get returns a.v1.Ask now"]),
    "service renamed": ("service Things", "service Others", ["service a.v1.Things is gone"]),
    "package renamed": ("package a.v1", "package a.v2", ["message a.v1.Thing is gone", "enum a.v1.Thing.Kind is gone"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_somebody_is_refused(tmp_path, case):
    before, after, words = REFUSED[case]
    found = "\n".join(compat.breaks(compiled(tmp_path, BASE), compiled(tmp_path, changed(BASE, before, after))))
    for word in words:
        assert word in found


ALLOWED = {
    "nothing": ("syntax", "syntax"),
    "comments": ("// What there is.", "// What there is, and more."),
    "field": ("int32 size = 2;", "int32 size = 2;\n  int32 weight = 8;"),
    "field of a oneof": ("bool deep = 7;", "bool deep = 7;\n    bool steep = 8;"),
    "field gone, reserved": ("int32 size = 2;", "reserved 2;  // Nobody knew it."),
    "reserved as a range": ("reserved 9;", "reserved 8 to 12;"),
    "enum value": ("KIND_ROUND = 1;", "KIND_ROUND = 1;\n    KIND_SQUARE = 2;"),
    "method": ("rpc Watch", "rpc List(Ask) returns (Thing);\n  rpc Watch"),
    "message": ("message Ask", "message More {}\nmessage Ask"),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_breaks_nobody_is_allowed(tmp_path, case):
    assert not compat.breaks(compiled(tmp_path, BASE), compiled(tmp_path, changed(BASE, *ALLOWED[case])))


def test_a_package_that_is_gone_is_refused(tmp_path):
    broken, _ = check.find({"a.v1": compiled(tmp_path, BASE)}, {})
    assert broken == ["package a.v1 is gone: keep it"]


def test_what_was_added_is_accepted_by_a_command_and_what_breaks_is_not(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "golden"
    monkeypatch.setattr(descriptors, "GOLDEN", folder)
    monkeypatch.setattr(descriptors, "golden", lambda read=descriptors.golden: read(folder))
    added = changed(BASE, "int32 size = 2;", "int32 size = 2;\n  int32 weight = 8;")
    for text, arguments, code, said in (
            (BASE, ["--accept"], 0, "1 packages accepted"), (BASE, [], 0, ""),
            (added, [], 1, "run tools/apidoc/check.py --accept"),
            (added, ["--accept"], 0, "1 packages accepted"), (added, [], 0, ""),
            (BASE, ["--accept"], 1, "Thing.weight = 8 is gone"), (added, [], 0, "")):
        monkeypatch.setattr(descriptors, "present", lambda text=text: {"a.v1": compiled(tmp_path, text)})
        assert check.main(arguments) == code
        assert said in capsys.readouterr().out


def test_a_proto_that_is_none_is_named(tmp_path):
    assert shutil.which("protoc")
    with pytest.raises(descriptors.BadProto, match="a.proto:"):
        compiled(tmp_path, "syntax = 'proto3'; message {")
