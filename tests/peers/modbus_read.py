"""pymodbus as a client on a serial port.

Arguments: port, baud rate, parity, unit, first register, count. Prints the words in hexadecimal, or the exception code.
"""

import sys

from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient

port, baud, parity, unit, register, count = sys.argv[1:]
client = ModbusSerialClient(port, framer=FramerType.RTU, baudrate=int(baud), parity=parity, timeout=2, retries=0)
if not client.connect():
    sys.exit(f"{port} cannot be opened")
reply = client.read_holding_registers(int(register), count=int(count), device_id=int(unit))
client.close()
if reply.isError():
    print("exception", reply.exception_code)
else:
    print(" ".join(f"{word:04X}" for word in reply.registers))
