"""The protos of api/ as descriptors, and the golden ones of api/testdata/descriptors."""

import subprocess
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2, text_format

TOP = Path(__file__).resolve().parents[2]
GOLDEN = TOP / "api/testdata/descriptors"
_HEAD = ("# proto-file: google/protobuf/descriptor.proto\n# proto-message: FileDescriptorSet\n"
         "# Written by tools/apidoc/check.py --accept.\n")


class BadProto(ValueError):
    """protoc refused a file."""


def compile_protos(root, paths):
    """Descriptors of the files, which are named from `root`, with their comments."""
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(["protoc", f"-I{root}", "--include_source_info", f"--descriptor_set_out={out.name}", *paths],
                              cwd=root, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if done.returncode != 0:
            raise BadProto(done.stdout)
        return list(descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes()).file)


def present():
    """{package: its files, by name} of api/."""
    paths = sorted(str(path.relative_to(TOP)) for path in (TOP / "api").rglob("*.proto"))
    packages = {}
    for file in compile_protos(TOP, paths):
        packages.setdefault(file.package, []).append(file)
    return {package: sorted(files, key=lambda file: file.name) for package, files in sorted(packages.items())}


def golden(folder=GOLDEN):
    """The same, as they were accepted last."""
    packages = {}
    for path in sorted(folder.glob("*.txtpb")):
        parsed = text_format.Parse(path.read_text(), descriptor_pb2.FileDescriptorSet())
        packages[path.name.removesuffix(".txtpb")] = list(parsed.file)
    return packages


def render(files):
    """What a golden file says: without comments, which may change."""
    whole = descriptor_pb2.FileDescriptorSet()
    for file in files:
        whole.file.add().CopyFrom(file)
        whole.file[-1].ClearField("source_code_info")
    return _HEAD + text_format.MessageToString(whole)
