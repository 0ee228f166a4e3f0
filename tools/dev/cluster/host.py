"""Where processes run: on this machine, or, in tests of faults, in a network namespace of their own."""

import contextlib


class Host:
    """This machine as it is: everything listens on loopback."""

    address = "127.0.0.1"  # Where others reach what runs here.

    def command(self, *argv):
        """The command line that runs `argv` here."""
        return [str(argument) for argument in argv]

    def entered(self):
        """A context in which the sockets that this thread opens are of here."""
        return contextlib.nullcontext()


HOST = Host()
