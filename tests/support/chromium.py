"""Headless Chromium, asked for the page as it is after its scripts ran."""

import subprocess
from pathlib import Path

from tests.support.programs import needs

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --enable-logging=stderr --v=0 --log-level=0"
).split()


def dump(url: str, profile: Path, *, size: tuple[int, int] = (1280, 900)) -> tuple[str, list[str]]:
    """Return the document and the console's messages. ``profile`` keeps cookies from one call to the next."""
    done = subprocess.run(
        [
            needs("chromium", "chromium"),
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}",
            "--virtual-time-budget=3000",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
