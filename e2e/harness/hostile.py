"""What a box says whose root is hostile: reports of anything, sent through its own services and certificate."""

import sqlite3


def _field(number, payload):
    """A length-delimited protobuf field."""
    length, encoded = len(payload), b""
    while length > 0x7F:
        encoded += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + encoded + bytes([length]) + payload


def pod_report(uid, status_json, gone=False):
    """skerry.edged.v1.PodReport."""
    return _field(1, uid.encode()) + _field(2, status_json.encode()) + (b"\x18\x01" if gone else b"")


def node_report(status_json, **labels):
    """skerry.edged.v1.NodeReport."""
    entries = (_field(2, _field(1, k.encode()) + _field(2, v.encode())) for k, v in labels.items())
    return _field(1, status_json.encode()) + b"".join(entries)


def put_reports(node, reports):
    """Puts (type, key, value) among the reports that edge-meta-svc of a box is about to send. It must be stopped."""
    connection = sqlite3.connect(node.state_dir / "edge-meta.db")
    with connection:
        for kind, key, value in reports:
            connection.execute("INSERT INTO reports(type, key, generation, wall_micros, logical, value) "
                               "VALUES(?, ?, 1, 4102444800000000, 0, ?)", (kind, key, value))
    connection.close()
