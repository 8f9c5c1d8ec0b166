"""Events: what a visitor saw or sent away, told by the page's script, so that rules can ask how often and when.

They are kept for visitors with an id only, hence with consent, and only where a fact of the site asks for them.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from tessera.renderer.core.declared import Declared
from tessera.renderer.core.ports import Event
from tessera.renderer.core.visitor import Visitor
from tessera.rules.facts import EventKind


class EventReport(BaseModel):
    """The body of `POST /events`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: EventKind
    of: str = Field(min_length=1, max_length=200)


def event_of(report: EventReport, visitor: Visitor, declared: Declared, now: datetime) -> Event | None:
    """Return what a report is worth keeping; None where nobody asks for it, or nobody is known to have sent it."""
    if visitor.id is None or (report.event, report.of) not in declared.events:
        return None
    return Event(visitor.id, report.event, report.of, now)
