"""Waiting for conditions with a deadline; nothing here waits for time to pass."""

import time


class TimedOut(AssertionError):
    """A condition did not come true in time; the message says what was seen last."""


def until(what, condition, timeout=30.0, interval=0.1):
    """Calls `condition` until it returns something true, and returns that.

    An exception of the kinds that a system still on its way gives (a command that fails, a missing key) counts as
    not yet true and is shown when time is up.
    """
    deadline = time.monotonic() + timeout
    seen = None
    while True:
        try:
            result = condition()
            if result:
                return result
            seen = result
        except (RuntimeError, OSError, KeyError, IndexError, ValueError) as error:
            seen = error
        if time.monotonic() >= deadline:
            raise TimedOut(f"after {timeout:g} s still waiting for {what}; last seen: {seen!r}")
        time.sleep(interval)
