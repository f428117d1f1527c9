"""pymodbus as a Modbus device, at the end of a pseudo-terminal or behind a TCP port.

Arguments: `rtu` or a port number; the unit; then pairs register=word, word in hexadecimal. Only these registers exist. Prints
`port <path or number>`.
"""

import asyncio
import sys

import wire
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

where, unit, *pairs = sys.argv[1:]
registers = [pair.split("=") for pair in pairs]
device = SimDevice(
    id=int(unit),
    simdata=[SimData(int(register), values=int(word, 16), datatype=DataType.REGISTERS) for register, word in registers],
)


async def serve():
    if where == "rtu":
        agent_end, device_end = wire.join()
        server = ModbusSerialServer(device, port=device_end, baudrate=9600, ignore_missing_devices=True)
    else:
        agent_end = where
        server = ModbusTcpServer(device, address=("127.0.0.1", int(where)))
    await server.serve_forever(background=True)
    print("port", agent_end)
    await asyncio.Event().wait()


asyncio.run(serve())
