"""Stages of docker/Dockerfile, one at a time: docker's builder without BuildKit builds every stage before the wanted one."""

import io
import re
import tarfile

_STAGE = re.compile(r"^FROM (\S+) AS (\S+)$", re.M)
_COPY = re.compile(r"^COPY --from=collect (--chown=\S+ )?/out/(\S*) (\S+)$", re.M)


def parent(dockerfile, name):
    """What a stage is made from: another stage, or "scratch"."""
    match = re.search(rf"^FROM (\S+) AS {re.escape(name)}$", dockerfile, re.M)
    if match is None:
        raise ValueError(f"'{name}' is no stage of the Dockerfile")
    return match[1]


def stage(dockerfile, name, image):
    """The Dockerfile of one stage, made from an image. What the stage copies from the stage `collect` comes from the build context, which
    is its /out."""
    start = re.search(rf"^FROM \S+ AS {re.escape(name)}$", dockerfile, re.M)
    end = re.compile(r"^FROM ", re.M).search(dockerfile, start.end())
    body = _STAGE.sub(f"FROM {image}", dockerfile[start.start():end.start()])
    body = _COPY.sub(lambda match: f"COPY {match[1] or ''}{match[2]} {match[3]}", body)
    if "--from=" in body or re.search("^RUN ", body, re.M):
        raise ValueError(f"stage '{name}' does more than 'COPY --from=collect [--chown=…] /out/… …': {body}")
    return body


def context(dockerfile, root):
    """A tar file of the Dockerfile and of what it copies out of `root`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(dockerfile.encode())
        tar.addfile(info, io.BytesIO(dockerfile.encode()))

        def roots(member):
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            return member

        for match in re.finditer(r"^COPY (?:--chown=\S+ )?(\S+) \S+$", dockerfile, re.M):
            tar.add(root / match[1], arcname=match[1].rstrip("/"), filter=roots)
    return out.getvalue()
