"""Packages of `tests/clients/package.json`, installed once for each version of its lock file."""

import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.support.programs import needs

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "tests" / "clients"
CACHE = ROOT / ".tessera" / "clients"


def client_packages() -> Path:
    """Return the folder that has `node_modules`. Where they cannot be had, the test is skipped, or fails in CI."""
    node, npm = needs("node", "nodejs"), needs("npm", "npm")
    lock = (PACKAGES / "package-lock.json").read_bytes()
    folder = CACHE / sha256(lock).hexdigest()[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as turn:
        flock(turn, LOCK_EX)  # tests that run at the same time install them once
        if not folder.exists():
            _install(npm, node, folder)
    return folder


def _install(npm: str, node: str, folder: Path) -> None:
    fresh = Path(mkdtemp(dir=CACHE))
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(PACKAGES / name, fresh)
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [npm, "ci"], cwd=fresh, capture_output=True, text=True, timeout=600, env={**os.environ, "PATH": path}
    )
    if done.returncode:
        shutil.rmtree(fresh)
        reason = "the packages of tests/clients cannot be had: npm ci"
        if os.environ.get("TESSERA_NOTHING_SKIPS"):
            pytest.fail(f"{reason}\n{done.stderr}")
        pytest.skip(reason)
    fresh.rename(folder)
