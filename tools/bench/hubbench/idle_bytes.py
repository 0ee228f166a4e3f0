"""The bytes of one idle node."""

import subprocess
import time

from cluster import wait
from cluster.process import Service

from .figures import remark, report

BUDGET_MB = 3.0
# IPv4 and TCP with timestamps: what the kernel does not count as bytes of the connection.
SEGMENT_HEADER_BYTES = 52


def _issue_certificate(hub, folder):
    """tls.* settings with a node's certificate of the hub's CA."""
    key, csr, certificate = (folder / name for name in ("node.key", "node.csr", "node.crt"))
    ca = hub.state_dir / "ca"
    for command in (
            ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
             csr, "-subj", "/O=system:nodes/CN=system:node:bench"],
            ["x509", "-req", "-in", csr, "-CA", ca / "ca.crt", "-CAkey", ca / "ca.key", "-CAcreateserial", "-days", "2",
             "-out", certificate]):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    identity = folder / "node.pem"
    identity.write_text(certificate.read_text() + key.read_text())
    return {"tls.ca": str(ca / "ca.crt"), "tls.identity": str(identity)}


def _tcp_counters(address):
    """(bytes, segments) both ways of the established connections to `address`, as ss prints TCP_INFO."""
    listed = subprocess.run(["ss", "-tinH", "state", "established", "dst", address], check=True, capture_output=True,
                            text=True).stdout
    words = dict(word.split(":") for word in listed.split() if word.count(":") == 1)
    return (int(words["bytes_sent"]) + int(words["bytes_received"]), int(words["segs_out"]) + int(words["segs_in"]))


def _between(edge, hub, seconds):
    """What the counters grow by in this time, some time after the link is there."""
    wait.until("the link", edge.ready, 30, 0.1)
    time.sleep(seconds / 10)
    before = _tcp_counters(hub.link)
    time.sleep(seconds)
    return [now - then for now, then in zip(_tcp_counters(hub.link), before)]


def idle_bytes(bench, seconds):
    """Of a real edgehub-svc, whatever --nodes says."""
    hub = bench.hub("hub")
    hub.start()
    try:
        folder = bench.folder / "edge"
        (folder / "run").mkdir(parents=True)
        edge = Service("edgehub-svc", bench.binaries, folder, folder / "edgehub-svc.log",
                       {"run_dir": str(folder / "run"), "state_dir": str(folder / "state"), "cloud.address": hub.link,
                        **_issue_certificate(hub, folder)})
        edge.start()
        try:
            payload, segments = _between(edge, hub, seconds)
        finally:
            edge.stop()
    finally:
        hub.stop()
    day = (payload + segments * SEGMENT_HEADER_BYTES) * 86400 / seconds / 1e6
    report("hub_idle_bytes_per_node_and_day", day, BUDGET_MB, "MB", "budget")
    remark(f"{payload} bytes of TCP and {segments} segments of {SEGMENT_HEADER_BYTES} bytes of headers in {seconds} s, "
           "both ways")
