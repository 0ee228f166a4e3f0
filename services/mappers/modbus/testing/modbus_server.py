"""A Modbus server by pymodbus, for tests: slaves 1 and 2 with values that are laid out here, and not by what is tested.

usage: modbus_server.py (--tcp PORT | --serial PATH) --writes FILE

Prints "ready PORT" when it serves. FILE gets a line for each write: slave, function code, address, values. Requests
for slaves that are not there are not answered.
"""

import argparse
import asyncio
import struct

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer

SIZE = 100  # Of each table: 100 is an address that is not there.


def words(form, *values):
    raw = struct.pack(">" + form, *values)
    return list(struct.unpack(f">{len(raw) // 2}H", raw))


def swapped(registers):
    return [(word & 0xFF) << 8 | word >> 8 for word in registers]


def holding(slave):
    table = [0] * SIZE

    def put(address, registers):
        table[address:address + len(registers)] = registers

    put(0, words("H", 215))
    put(1, words("h", -5))
    put(2, words("f", 21.5))  # ABCD
    put(4, words("i", -123456)[::-1])  # CDAB
    put(6, words("d", -1.5))
    put(10, words("10s", b"pump-7"))
    put(16, swapped(words("I", 305419896)))  # BADC
    put(18, swapped(words("I", 305419896))[::-1])  # DCBA
    put(20, words("Q", 2 ** 53 + 1))
    put(24, words("f", float("nan")))
    put(26, [0x0800])
    put(50, [slave])
    return table


class Slave(ModbusSlaveContext):
    def __init__(self, number, writes):
        def block(values):
            return ModbusSequentialDataBlock(0, values)

        super().__init__(di=block([1, 0] * (SIZE // 2)), co=block([1, 0, 1, 1] + [0] * (SIZE - 4)),
                         hr=block(holding(number)), ir=block([4660] + [number] * (SIZE - 1)), zero_mode=True)
        self.number = number
        self.writes = writes

    def setValues(self, fc_as_hex, address, values):
        text = " ".join(str(int(value)) for value in values)
        print(self.number, fc_as_hex, address, text, file=self.writes, flush=True)
        super().setValues(fc_as_hex, address, values)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", type=int)
    parser.add_argument("--serial")
    parser.add_argument("--writes", required=True)
    options = parser.parse_args()
    with open(options.writes, "a", encoding="ascii") as writes:
        context = ModbusServerContext(slaves={n: Slave(n, writes) for n in (1, 2)}, single=False)
        if options.serial:
            server = ModbusSerialServer(context, port=options.serial, baudrate=19200)
            await server.start()
            print("ready 0", flush=True)
            await server.serve_forever()
        server = ModbusTcpServer(context, address=("127.0.0.1", options.tcp), allow_reuse_address=True)
        serving = asyncio.create_task(server.serve_forever())
        await server.serving
        print("ready", server.server.sockets[0].getsockname()[1], flush=True)
        await serving


asyncio.run(main())
