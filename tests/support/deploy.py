"""The configurations in `deploy/`, which in tests wait for as long as it takes: no machine is too slow."""

import re
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
TIMEOUT = re.compile(r"(timeout *[= ] *)(?:\d+ms|1s?)\b")


def configuration(name: str) -> str:
    """Return the text of a file, whose timeouts are a minute each."""
    text, changed = TIMEOUT.subn(r"\g<1>60s", (DEPLOY / name).read_text())
    assert changed or name == "nginx.conf", f"{name} has no timeout"
    return text
