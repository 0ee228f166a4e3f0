"""Wall clocks of single processes that are off, or step."""

import os
from pathlib import Path

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def faketime(offset):
    """Environment of a process whose wall clock is off; clocks for timeouts are left alone."""
    return {"LD_PRELOAD": LIBRARY, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class SteppingClock:
    """A wall clock that is right until `step`; processes that are started with `env` follow it as they run."""

    def __init__(self, path):
        self._path = Path(path)
        self.step("+0")

    @property
    def env(self):
        """For the processes that have this clock."""
        return {"LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def step(self, offset):
        """Sets the clock to the true time and this: "+9y", "-2h", "+0"."""
        new = Path(f"{self._path}.new")
        new.write_text(f"{offset}\n")
        os.replace(new, self._path)  # Whoever reads it sees the old or the new.
