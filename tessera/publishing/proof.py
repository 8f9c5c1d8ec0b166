"""Proof before publish: a version goes live only without errors, tried out, and with all of its own tests passing."""

from datetime import UTC, datetime
from pathlib import Path

from tessera.publishing.deployment import Deployment, NotServable
from tessera.renderer.confined import Bounds
from tessera.rules.casereport import to_text
from tessera.rules.cases import run_cases


class Unproved(Exception):
    """Tests of the version fail; the message tells which, and why."""


def proved(deployment: Deployment, folder: Path) -> str:
    """Return the version of the site in a folder. Raises `NotServable` and `Unproved`."""
    checked = deployment.loader(folder).prove(Bounds(), datetime.now(UTC))
    if checked.ruleset is None:
        raise NotServable(checked)
    site = deployment.site(folder)
    failed = [result for result in run_cases(site.ruleset) if not result.passed]
    if failed:
        raise Unproved(to_text(failed))
    return site.version
