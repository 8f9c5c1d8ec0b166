"""Whether two stretches of time have a moment in common."""

from datetime import datetime

from tessera.rules.ruleset import Experiment
from tessera.rules.schedule import Window
from tessera.rules.wallclock import EPOCH

MAX_OPENINGS = 200
"""How many openings are looked through for a moment at which another window is open too."""


def is_shut(window: Window, experiment: Experiment) -> bool:
    """Whether a window is closed, wherever the visitor may be, for as long as an experiment runs."""
    state = window.state(experiment.starts or EPOCH, None)
    ends = experiment.ends
    return state.open is False and (state.until is None or (ends is not None and state.until >= ends))


def meet_in_time(one: Window | None, other: Window | None) -> bool:
    """Whether two windows are ever open at once, as far as can be seen; None is always open."""
    now = EPOCH
    for _ in range(MAX_OPENINGS):
        states = [window.state(now, None) for window in (one, other) if window is not None]
        closed_until = [state.until for state in states if state.open is False]
        if not closed_until:
            return True
        if None in closed_until:
            return False
        now = max(until for until in closed_until if until is not None)
    return False


def run_together(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments have a moment in common."""
    return _begins_before_the_end(one.starts, other.ends) and _begins_before_the_end(other.starts, one.ends)


def _begins_before_the_end(starts: datetime | None, ends: datetime | None) -> bool:
    return starts is None or ends is None or starts < ends
