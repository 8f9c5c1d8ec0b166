"""Proof before publish: a version goes live only without errors, and with all of its own tests passing."""

from pathlib import Path

from tessera.publishing.deployment import Deployment
from tessera.rules.cases import CaseResult, run_cases


class Unproved(Exception):
    """Tests of the version fail; the message lists them."""


def proved(deployment: Deployment, folder: Path) -> str:
    """Return the version of the site in a folder. Raises `NotServable` and `Unproved`."""
    site = deployment.site(folder)
    failed = [result for result in run_cases(site.ruleset) if not result.passed]
    if failed:
        raise Unproved("".join(map(_told, failed)))
    return site.version


def _told(result: CaseResult) -> str:
    span = result.case.span
    lines = [f"{span.file}:{span.line}: {result.case.name}"]
    lines += [f"  {each.key}: {each.expected} was expected, not {each.actual}" for each in result.differences]
    return "\n".join(lines) + "\n"
