"""Wall clocks of single processes that are off, or step."""

import datetime
import struct
import subprocess
from pathlib import Path

_LIBFAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
_SOURCE = Path(__file__).with_name("clock_step.c")


def faketime(offset):
    """Environment of a process whose wall clock is off; clocks for timeouts are left alone."""
    return {"LD_PRELOAD": _LIBFAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class SteppingClock:
    """A wall clock that is right until `step`; processes that are started with `env` follow it as they run."""

    def __init__(self, path):
        self._file = Path(path)
        library = self._file.with_suffix(".so")
        subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-o", library, _SOURCE],
                       check=True)
        self._file.write_bytes(struct.pack("<q", 0))
        self.env = {"LD_PRELOAD": str(library), "CLOCK_STEP_FILE": str(self._file)}

    def step(self, **offset):
        """Sets the clock to the true time and this (of a timedelta): `days=-1`, or nothing."""
        with open(self._file, "r+b") as file:  # In place: they have mapped it.
            file.write(struct.pack("<q", int(datetime.timedelta(**offset).total_seconds()) * 10**9))
