"""Ports for servers that are away for a moment now and then, and must be found where they were."""

import random
import socket
from pathlib import Path


def _candidates():
    """Ports to try: below those that outgoing connections get, one of which may take a server's while it is away."""
    below = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return random.sample(range(below - 12000, below), 100)


def _claim(port):
    """Claims a port among the systems of this machine, until what is returned is closed; None if another has it. A
    server may not have bound its port yet, or be away for a moment."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0skerry-port-{port}")  # Abstract: it goes with the process.
        return claim
    except OSError:
        claim.close()
        return None


def _is_free(address, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            return True
        except OSError:
            return False


class Ports:
    """The ports of one system."""

    def __init__(self):
        self._claims = []

    def take(self, address, port=0):
        """`port` of the address where it is free, else another that is; it stays this system's. 0: the kernel is to
        pick one, of an address of another namespace."""
        for candidate in [port] * bool(port) + _candidates():
            claim = _claim(candidate)
            if claim and _is_free(address, candidate):
                self._claims.append(claim)
                return candidate
            if claim:
                claim.close()
        return 0
