"""What the measurements print."""

import os
import platform
import time

BARE = "bare_grpc_mtls_echo_server_same_client"


def report(bench, ours, reference, unit, reference_is):
    """One figure, beside what it is compared with."""
    ratio = ours / reference if reference else float("nan")
    print(f"bench={bench} ours={ours:.2f} reference={reference:.2f} unit={unit} ratio={ratio:.2f} "
          f"reference_is={reference_is}", flush=True)


def report_beside_bare(ours, bare, units, note=""):
    """Figures of the hub beside those of the bare server: `units` names them."""
    for name, unit in units.items():
        report(f"hub_{name}", ours[name], bare[name], unit, BARE + note)


def remark(text):
    """A line for people."""
    print(f"# {text}", flush=True)


def _cpu_ticks():
    """(busy, all) of all processors since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def machine():
    """What the machine is, and what it does while nothing is measured."""
    before = _cpu_ticks()
    time.sleep(1)
    busy, all_ticks = (now - then for now, then in zip(_cpu_ticks(), before))
    with open("/proc/meminfo", encoding="ascii") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return (f"{os.cpu_count()} cores, {100 * busy / max(all_ticks, 1):.0f} % busy, load average {load}, "
            f"{available / 2**20:.1f} GB of memory available, kernel {platform.release()}")
