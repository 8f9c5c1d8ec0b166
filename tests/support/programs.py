"""Installed servers that integration tests need: found, or the test is skipped with the package to install."""

import os
import shutil

import pytest


def needs(program: str, package: str) -> str:
    """Return the program's path. Where nothing may skip, as in continuous integration, its absence is a failure."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{program} is not installed: apt-get install {package}"
        if os.environ.get("TESSERA_NOTHING_SKIPS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
