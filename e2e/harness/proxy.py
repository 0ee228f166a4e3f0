#!/usr/bin/env python3
"""A TCP proxy that is a slow line: delay, jitter and bandwidth, each way; one that keeps what it got for later; one that
forgets idle connections; or one that is the common address of several servers.

There is no netem where these tests run. The proxy is a process of its own (`python3 proxy.py LISTEN TO`), started in the
namespace where it listens; LISTEN and TO are host:port or unix:path. A connection goes to the first of several TO that
takes it. The proxy prints the bound address, then obeys lines on its standard input:

    line DELAY JITTER RATE   seconds, seconds, bytes a second (0: no limit); of what comes from now on
    hold                     keep what the dialling side sends, even when that side is gone: of its end the other
                             side is never told, as where an address changed or a cable was pulled
    release                  let it go, and everything after it
    forget SECONDS           a connection that was idle for longer, both ways, carries nothing from then on, and neither
                             side is told: what a NAT or a firewall does (0: none is forgotten)
    to TO...                 where connections go that come from now on
    reset                    end the connections that there are

Order is kept, as TCP does: jitter delays what follows. What waits is bounded a connection; beyond, nothing is read.
"""

import asyncio
import contextlib
import random
import subprocess
import sys
import time

_WAITING_BYTES_MAX = 4 << 20


class Line:
    """How the line is now."""

    def __init__(self):
        self.delay = self.jitter = self.rate = self.memory = 0.0
        self.targets = []
        self.writers = set()  # Of the dialling sides.
        self.held = asyncio.Event()  # Set: not held.
        self.held.set()

    def obey(self, command):
        """Does what a line of standard input says."""
        word, *values = command.split()
        if word == "line":
            self.delay, self.jitter, self.rate = map(float, values)
        elif word == "hold":
            self.held.clear()
        elif word == "release":
            self.held.set()
        elif word == "forget":
            self.memory = float(values[0])
        elif word == "to":
            self.targets = values
        elif word == "reset":
            for writer in self.writers:
                writer.transport.abort()
        else:
            raise ValueError(f"unknown command {command!r}")


class Entry:
    """What the line remembers of one connection."""

    def __init__(self, line):
        self._line = line
        self._used = time.monotonic()
        self._forgotten = False

    def use(self):
        """Something comes, from either side. False if the line knows nothing of the connection any more."""
        now = time.monotonic()
        self._forgotten |= 0 < self._line.memory < now - self._used
        self._used = now
        return not self._forgotten


async def _carry(line, entry, reader, writer, held):
    """One way of one connection: a reader that stamps what comes, a writer that lets it go when it is due."""
    waiting = asyncio.Queue()
    room = asyncio.Condition()
    size = 0

    async def take():
        nonlocal size
        due = 0.0
        while True:
            try:
                data = await reader.read(16384)
            except OSError:
                data = b""
            lasts = len(data) / line.rate if line.rate else 0.0
            due = max(due + lasts, time.monotonic() + line.delay + random.uniform(0, line.jitter))
            known = entry.use()
            if known and (data or not held or line.held.is_set()):
                waiting.put_nowait((due, data))
            if not data:
                return
            if not known:
                continue
            async with room:
                size += len(data)
                await room.wait_for(lambda: size < _WAITING_BYTES_MAX)

    async def give():
        nonlocal size
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if held:
                await line.held.wait()
            if not data:
                break
            writer.write(data)
            await writer.drain()
            async with room:
                size -= len(data)
                room.notify()
        with contextlib.suppress(OSError):
            writer.write_eof()

    with contextlib.suppress(OSError):
        await asyncio.gather(take(), give())


def _parts(address):
    if address.startswith("unix:"):
        return None, address.removeprefix("unix:")
    host, _, port = address.rpartition(":")
    return host, int(port)


async def _dial(addresses):
    for address in addresses:
        host, where = _parts(address)
        with contextlib.suppress(OSError):
            return await (asyncio.open_unix_connection(where) if host is None else asyncio.open_connection(host, where))
    raise ConnectionRefusedError(f"none of {addresses} takes the connection")


async def _serve(listen, targets):
    line = Line()
    line.targets = targets

    async def connected(reader, writer):
        ends = [writer]
        line.writers.add(writer)
        try:
            up_reader, up_writer = await _dial(line.targets)
            ends.append(up_writer)
            entry = Entry(line)
            await asyncio.gather(_carry(line, entry, reader, up_writer, held=True),
                                 _carry(line, entry, up_reader, writer, held=False))
        except OSError:
            pass
        finally:
            line.writers.discard(writer)
            for end in ends:
                end.close()

    host, where = _parts(listen)
    if host is None:
        server = await asyncio.start_unix_server(connected, where)
        print(listen, flush=True)
    else:
        server = await asyncio.start_server(connected, host, where)
        print("{}:{}".format(*server.sockets[0].getsockname()[:2]), flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while command := (await commands.readline()).decode().strip():
        line.obey(command)
    server.close()  # The scenario is over.


class Proxy:
    """A proxy process on a Host."""

    def __init__(self, host, listen, *targets):
        self._process = subprocess.Popen(host.command(sys.executable, __file__, listen, *targets), text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError(f"the proxy of {targets} did not start")

    def _say(self, command):
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def line(self, delay=0.0, jitter=0.0, rate=0.0):
        """Seconds, seconds, bytes a second; of what comes from now on."""
        self._say(f"line {delay} {jitter} {rate}")

    def hold(self):
        """Keeps what the dialling side sends."""
        self._say("hold")

    def release(self):
        """Ends a hold."""
        self._say("release")

    def forget(self, seconds):
        """Connections that are idle for longer carry nothing any more, and nobody is told; 0: none is forgotten."""
        self._say(f"forget {seconds}")

    def to(self, *targets):
        """Where connections go that come from now on: to the first that takes them."""
        self._say(f"to {' '.join(targets)}")

    def reset(self):
        """Ends the connections that there are; of what is held, the other side hears nothing."""
        self._say("reset")

    def close(self):
        """Ends the process, and with it every connection."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2:]))
