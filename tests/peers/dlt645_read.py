"""PyPI dlt645 and pyserial as a client that reads one identifier of a meter.

Arguments: port, baud rate, the meter's twelve digits, identifier. Prints control code, address as the meter wrote it and the
data without identifier, in hexadecimal.
"""

import sys

import serial
from dlt645.protocol.protocol import DLT645Protocol

port, baud, address, identifier = sys.argv[1:]
line = serial.Serial(port, int(baud), timeout=0.2)
request = DLT645Protocol.build_frame(bytes.fromhex(address)[::-1], 0x11, bytearray(bytes.fromhex(identifier)[::-1]))
line.write(bytes(4 * [0xFE]) + bytes(request))
heard = bytearray()
frame = None
for _ in range(20):
    heard += line.read(64)
    _, frame = DLT645Protocol.deserialize_with_remaining(bytes(heard))
    if frame is not None:
        break
if frame is None:
    sys.exit(f"no frame in {heard.hex()}")
data = bytes(frame.data)
print(f"{frame.ctrl_code:02X}", bytes(frame.addr).hex(), data[4:].hex())
