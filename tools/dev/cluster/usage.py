"""What a running process takes of the machine."""

import os


def memory_mb(pid):
    """{"pss": MB, "rss": MB} of a process."""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] in ("Pss:", "Rss:"):
                values[words[0][:-1].lower()] = int(words[1]) / 1024
    return values


def memory_peak_mb(pid):
    """The most that a process has had resident, in MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


def cpu_seconds(pid):
    """User and system time of a process since its start."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
