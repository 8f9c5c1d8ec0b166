"""Podium and OpenComponents, as installed from `support/node`: one process each, for the same rail."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from support.servers import process

NODE = Path(__file__).parent / "node"
CACHE = Path(__file__).parents[2] / ".tessera" / "peers"
INSTALLED_WITHIN_S = 600
RAIL = {"podium": "/", "opencomponents": "/rail/1.0.0?visitor={visitor}"}
"""Where each has the rail of a visitor."""


def installed() -> Path | None:
    """Return a folder with both, installed once for each version of their files; None, and a line why, without them."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("Podium and OpenComponents are skipped: node or npm is not installed")
        return None
    files = [path for path in sorted(NODE.rglob("*")) if path.is_file() and "node_modules" not in path.parts]
    folder = CACHE / sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(dir=CACHE))
        shutil.copytree(NODE, fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "_package"))
        (fresh / "rail" / "node_modules").symlink_to("../node_modules")  # what the component is compiled with
        # Not `npm ci`: it refuses a lock that leaves out optional packages for other systems.
        for command in (["npm", "install", "--no-save"], ["node_modules/.bin/oc", "package", "rail"]):
            done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=INSTALLED_WITHIN_S)
            if done.returncode or (command[-1] == "rail" and not (fresh / "rail" / "_package").exists()):
                shutil.rmtree(fresh)
                print(f"Podium and OpenComponents are skipped: {' '.join(command)} failed\n{done.stderr[-500:]}")
                return None
        shutil.copytree(fresh / "rail" / "_package", fresh / "storage" / "components" / "rail" / "1.0.0")
        fresh.rename(folder)
    return folder


@contextmanager
def peer(folder: Path, name: str, upstream: str) -> Iterator[int]:
    """Run ``podium`` or ``opencomponents`` as in production, and give its port."""
    environment = {"NODE_ENV": "production", "UPSTREAM": upstream, "COMPONENTS": str(folder / "storage")}
    with process([shutil.which("node") or "node", str(folder / f"{name}.mjs")], environment) as port:
        yield port
