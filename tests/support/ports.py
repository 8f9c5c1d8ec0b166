"""Ports on the loopback interface."""

import socket
import time


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 10.0) -> None:
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
