"""A pair of pseudo-terminals whose masters are joined: what is written to one slave is read from the other."""

import os
import pty
import select
import threading
import tty


def join():
    """Returns the paths of both ends. They stay open as long as this program runs."""
    (near, near_slave), (far, far_slave) = pty.openpty(), pty.openpty()
    for end in (near, near_slave, far, far_slave):
        tty.setraw(end)
    threading.Thread(target=_carry, args=(near, far), daemon=True).start()
    # The slaves stay open here, so an end that is closed and opened again finds its wire.
    return os.ttyname(near_slave), os.ttyname(far_slave)


def _carry(near, far):
    other = {near: far, far: near}
    while True:
        for end in select.select(list(other), [], [])[0]:
            os.write(other[end], os.read(end, 4096))
