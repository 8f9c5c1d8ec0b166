"""Exposures: which visitors were shown which arm, told by the page once the fragment is really in front of somebody.

Rendering records nothing: a fragment under a split ends in an inert `<template>` that names the experiment, arm and
version, and the page's script reports those it finds. Prefetched pages, crawlers, forced variants and visitors
without an id therefore count nowhere.
"""

from datetime import datetime

from markupsafe import escape
from pydantic import BaseModel, ConfigDict, Field

from tessera.renderer.core.ports import Exposure
from tessera.renderer.core.visitor import Visitor
from tessera.rules.assign import seat_in
from tessera.rules.evaluate import Assignment
from tessera.rules.facts import VISITOR_ID
from tessera.rules.ruleset import Experiment, Ruleset


class Report(BaseModel):
    """The body of `POST /exposures`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    experiment: str = Field(min_length=1, max_length=200)
    arm: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1, max_length=200)


def marker(assignment: Assignment | None) -> str:
    """Return what a fragment under a split ends in; nothing for one that is not."""
    if assignment is None:
        return ""
    return (
        f'<template data-tessera-experiment="{escape(assignment.experiment)}"'
        f' data-tessera-arm="{escape(assignment.arm)}" data-tessera-version="{assignment.version}"></template>'
    )


def exposure_of(report: Report, visitor: Visitor, ruleset: Ruleset, now: datetime) -> Exposure | None:
    """Return what a report is worth recording; None where it does not count.

    It counts for a visitor with an id, for an experiment as it is now, and only on the side where the experiment puts
    that visitor. Where it splits by something else than the visitor's id, or is decided elsewhere, any of its arms is
    believed.
    """
    experiment = ruleset.experiments.get(report.experiment)
    if visitor.id is None or experiment is None or report.version != str(experiment.version):
        return None
    if report.arm not in experiment.arms:
        return None
    hashed = experiment.unit == VISITOR_ID and experiment.decided_by is None
    if hashed and report.arm != assigned_arm(experiment, visitor.id, now):
        return None
    return Exposure(visitor.id, report.experiment, report.arm, report.version, now)


def assigned_arm(experiment: Experiment, visitor_id: str, now: datetime) -> str | None:
    """Return the arm that a visitor is on by their id alone, None where they take no part."""
    arm = seat_in(experiment, {VISITOR_ID: visitor_id}.get, now).arm
    return experiment.arms[arm] if arm >= 0 else None
