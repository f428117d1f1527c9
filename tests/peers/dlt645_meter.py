"""PyPI dlt645 as a meter at the end of a pseudo-terminal.

Arguments: the meter's twelve digits, then pairs DI=value. Prints `port <path>` once it listens.

The package takes the address as it goes over the wire, low byte first, so the digits are turned round here. It answers single
identifiers only and refuses an address that is not its own instead of keeping silent: one such meter a line.
"""

import signal
import sys

import wire
from dlt645.service.serversvc.server_service import MeterServerService

address, *items = sys.argv[1:]
agent_end, meter_end = wire.join()
meter = MeterServerService.new_rtu_server(meter_end, 8, 1, 2400, "E", 1.0)
meter.set_address(bytes.fromhex(address)[::-1])
for item in items:
    di, value = item.split("=")
    store = meter.set_00 if di.startswith("00") else meter.set_02
    if not store(int(di, 16), float(value)):
        sys.exit(f"the meter does not take {item}")
if not meter.server.start():
    sys.exit(f"the meter does not open {meter_end}")
print("port", agent_end)
signal.pause()
