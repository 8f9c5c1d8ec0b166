"""Proof before publish: a version goes live only without errors, and with all of its own tests passing."""

from pathlib import Path

from tessera.publishing.deployment import Deployment
from tessera.rules.casereport import to_text
from tessera.rules.cases import run_cases


class Unproved(Exception):
    """Tests of the version fail; the message tells which, and why."""


def proved(deployment: Deployment, folder: Path) -> str:
    """Return the version of the site in a folder. Raises `NotServable` and `Unproved`."""
    site = deployment.site(folder)
    failed = [result for result in run_cases(site.ruleset) if not result.passed]
    if failed:
        raise Unproved(to_text(failed))
    return site.version
