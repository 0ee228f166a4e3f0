"""Modbus devices of pymodbus: the server of modbus-mapper's own tests, and a client that turns its knobs."""

import asyncio
import subprocess
from pathlib import Path

from cluster import wait
from cluster.binaries import TOP

SERVER = TOP / "services/mappers/modbus/testing/modbus_server.py"


class ModbusServer:
    """Slaves 1 and 2, over TCP on a port that stays the same, or on one end of a pseudo-terminal (`serial`)."""

    def __init__(self, folder, serial=False):
        self._folder = Path(folder)
        self._writes = self._folder / f"modbus-{'rtu' if serial else 'tcp'}-writes.txt"
        self._writes.touch()
        self.port = 0
        self.line = str(self._folder / "modbus-line") if serial else None
        self._socat = self._server = None
        if serial:
            ends = [f"pty,raw,echo=0,link={self.line}", f"pty,raw,echo=0,link={self.line}-far"]
            self._socat = subprocess.Popen(["socat", *ends])
            wait.until("the serial line", lambda: all(Path(end.rpartition("=")[2]).exists() for end in ends), 20)

    def start(self):
        """With the values that a device has when it is switched on."""
        where = ["--serial", f"{self.line}-far"] if self.line else ["--tcp", str(self.port)]
        self._server = subprocess.Popen(["/usr/bin/python3", SERVER, *where, "--writes", self._writes],
                                        stdout=subprocess.PIPE, text=True)
        ready = self._server.stdout.readline().split()
        assert ready[:1] == ["ready"], ready
        self.port = int(ready[1])
        return self

    def stop(self):
        """The device loses its power."""
        self._server.kill()
        self._server.wait(20)
        self._server.stdout.close()

    def close(self):
        """Ends the line, too."""
        if self._server is not None and self._server.poll() is None:
            self.stop()
        if self._socat is not None:
            self._socat.terminate()
            self._socat.wait(20)

    def writes(self):
        """["slave function address values"] that masters have written."""
        return self._writes.read_text().splitlines()

    def turn(self, address, *words, slave=1):
        """Somebody at the device sets its registers (TCP)."""
        from pymodbus.client import AsyncModbusTcpClient  # pylint: disable=import-outside-toplevel

        async def write():
            client = AsyncModbusTcpClient("127.0.0.1", port=self.port)
            await client.connect()
            answer = await client.write_registers(address, list(words), slave=slave)
            await client.close()
            assert not answer.isError(), answer

        asyncio.run(write())
