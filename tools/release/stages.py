"""What of docker/Dockerfile one image needs, for the builder that needs no BuildKit: it builds every stage before the wanted one."""

import io
import re
import tarfile

_STAGE = re.compile(r"^FROM (\S+) AS (\S+)$", re.M)
_COPY = re.compile(r"^COPY --from=collect (--chown=\S+ )?/out/(\S*) (\S+)$", re.M)


def without_collect(dockerfile, name):
    """A Dockerfile of one image's own stages. What those copy from the stage `collect` comes from the build context, which is its
    /out."""
    starts = [match.start() for match in _STAGE.finditer(dockerfile)]
    bodies = {}
    for start, end in zip(starts, [*starts[1:], dockerfile.index("\nFROM ${SERVICE}")]):
        base, stage = _STAGE.match(dockerfile, start).groups()
        bodies[stage] = (base, dockerfile[start:end])
    chain = []
    while name != "scratch":
        if name not in bodies or name in ("build", "collect"):
            raise ValueError(f"image of '{name}': it is no stage of the Dockerfile that can be made without a base image")
        name, body = bodies[name][0], bodies[name][1]
        chain.insert(0, body)
    made = _COPY.sub(lambda match: f"COPY {match[1] or ''}{match[2]} {match[3]}", "".join(chain))
    if "--from=" in made:
        raise ValueError(f"a COPY of the Dockerfile is not of the form 'COPY --from=collect [--chown=…] /out/… …': {made}")
    return made


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

        for source in sorted({match[1] for match in re.finditer(r"^COPY (?:--chown=\S+ )?(\S+) \S+$", dockerfile, re.M)}):
            tar.add(root / source, arcname=source.rstrip("/"), filter=roots)
    return out.getvalue()
