"""The service manager's notification socket (sd_notify(3)), for units of Type=notify."""

import contextlib
import socket


def notify(address: str | None, message: str) -> None:
    """Send a state such as ``READY=1``; does nothing without an address, and a deaf manager is no failure."""
    if not address:
        return
    # A leading @ stands for the abstract namespace.
    path = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.sendto(message.encode(), path)
