"""Ports on the loopback interface."""

import socket
import time

OURS = range(20_000, 32_768)
"""Below those that systems give to whoever connects, or listens without naming a port (`ip_local_port_range`)."""


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody else is given here while this process lasts."""
    for port in OURS:
        kept = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            kept.bind(("127.0.0.1", port))  # a port of UDP, which keeps others that look for one away from its number
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
        except OSError:
            kept.close()
        else:
            kept.detach()  # it stays open until the process ends
            return port
    raise OSError("no port is free")


def wait_for(port: int, seconds: float = 60.0) -> None:
    """Return once somebody listens on the port; raises TimeoutError if nobody does in time."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise TimeoutError(f"nobody listens on port {port}") from None
            time.sleep(0.01)  # whoever is to listen needs the processor
        else:
            return
