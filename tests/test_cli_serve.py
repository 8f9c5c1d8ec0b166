"""`tessera serve` on a machine where nothing can be written: one line that says so, and exit code 2."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tessera.adapters.sqlite import STORE, prepare
from tests.support.client import SECRET

MEND = "mend it, make room, or name another folder with --state-dir\n"


def no_room() -> None:
    """Let no file grow, as on a disk that is full (setrlimit(2), RLIMIT_FSIZE)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def said(state_dir: Path, *words: str, before: Callable[[], None] | None = None) -> tuple[int, str]:
    """Start a server that is not to start; return its exit code and all that it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tessera", "serve", "--port", "0", "--state-dir", str(state_dir), *words],
        env={"TESSERA_SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=before,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path, workers: str) -> None:
    (tmp_path / "file").touch()
    state_dir = tmp_path / "file" / "state"  # made read-only, it would not hold back whoever is root
    told = f"state cannot be written to {state_dir} (Not a directory): {MEND}"
    assert said(state_dir, "--workers", workers) == (2, told)


def test_a_disk_that_is_full_is_said_in_one_line(tmp_path: Path) -> None:
    told = f"state cannot be written to {tmp_path} (disk I/O error): {MEND}"
    assert said(tmp_path, before=no_room) == (2, told)


def test_a_disk_that_is_full_after_the_store_was_made_is_said_in_one_line(tmp_path: Path) -> None:
    prepare(tmp_path / STORE)
    code, told = said(tmp_path, before=no_room)
    assert (code, told.count("\n")) == (2, 1)
    assert told.startswith(f"state cannot be written to {tmp_path} (")


@pytest.mark.parametrize("taken", ["notices", "tallies"])
def test_what_stands_in_the_way_of_its_folders_is_said_in_one_line(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).touch()
    told = f"state cannot be written to {tmp_path} (File exists): {MEND}"
    assert said(tmp_path) == (2, told)
