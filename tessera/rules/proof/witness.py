"""A visitor for example: classes on some axes, as facts that an author would write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tessera.rules.conditions import written
from tessera.rules.facts import Fact, Value
from tessera.rules.proof.axes import Axes, Axis
from tessera.rules.proof.ways import Way
from tessera.rules.values import Version, format_elapsed

ANY_OTHER = "other"
"""The text that stands for all those that no condition names."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A visitor: values of facts, None where one must be unknown, and `besides`, what else must be so, in words."""

    facts: Mapping[str, Value | None]
    besides: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.text


def witness(way: Way, axes: Axes) -> Witness:
    """Somebody in a way. On each axis the lowest of its classes is taken, that of unknown last."""
    facts: dict[str, Value | None] = {}
    words: list[str] = []
    besides: list[str] = []
    told = [axes[name] for name in way]
    explained = {axis.fact.name for axis in told if axis.fact is not None and axis.name != axis.fact.name}
    for axis in told:
        place = (way[axis.name] & -way[axis.name]).bit_length() - 1
        if 1 << place == axis.unknown:
            words.append(f"{axis.name} unknown")
            facts[axis.name] = None
        elif axis.fact is None or (axis.name in explained and way[axis.name] == axis.known):
            continue  # a window is open, or all that is said of a fact is that it is known
        elif axis.kind in ("truth", "elapsed", "months"):
            besides.append(_said(axis, place))
        elif axis.kind == "presence":
            besides.append(f"{axis.name} known")
        else:
            value = facts[axis.name] = sample(axis, place)
            words.append(f"{axis.name} = {_plain(value, axis.fact)}")
    return Witness(facts, tuple(besides), ", ".join([*words, *besides]))


def sample(axis: Axis, place: int) -> Any:
    """A value of the class at a place of a fact's own axis, which is not that of unknown."""
    if axis.kind == "values":
        return axis.marks[place]
    if axis.kind == "text":
        return axis.marks[place] if place < len(axis.marks) else _other(axis.marks)
    number, is_mark = divmod(place, 2)
    if is_mark:
        return axis.marks[number]
    assert axis.fact is not None
    step = _STEPS.get(axis.fact.type, 1)
    if not axis.marks:
        return _SOME.get(axis.fact.type, 0)
    if number == len(axis.marks):
        return _next(axis.marks[-1], step)
    if number == 0:
        return _previous(axis.marks[0], step)
    return _between(axis.marks[number - 1], axis.marks[number], step)


def _said(axis: Axis, place: int) -> str:
    """What the class of an axis that is not a fact's own comes to, in words."""
    if axis.kind == "truth":
        return axis.name if axis.marks[place] else f"not {axis.name}"
    assert axis.fact is not None
    number, is_mark = divmod(place, 2)
    if number == 0 and not is_mark:
        return f"{axis.fact.name} still to come"
    longest = number if is_mark else number - 1
    more = "" if is_mark else "more than "
    mark = axis.marks[longest]
    return f"{axis.fact.name} {more}{f'{mark} months' if axis.kind == 'months' else format_elapsed(mark)} ago"


_SOME: Mapping[str, Any] = {
    "timestamp": datetime.fromisoformat("2026-01-01T00:00:00Z"),
    "duration": timedelta(hours=1),
    "version": Version((1,)),
}
_STEPS: Mapping[str, Any] = {"timestamp": timedelta(days=1), "duration": timedelta(seconds=1)}


def _next(value: Any, step: Any) -> Any:
    if isinstance(value, Version):
        return Version((value.release[0] + 1,))
    return value + step if not isinstance(value, datetime) or value.year < 9999 else value + timedelta(microseconds=1)


def _previous(value: Any, step: Any) -> Any:
    if isinstance(value, Version):
        return Version((0,), ((0, 0, ""),)) if value > Version((0,), ((0, 0, ""),)) else value
    if isinstance(value, datetime | timedelta):
        return value - step
    return 0 if value > 0 else value - step


def _between(low: Any, high: Any, step: Any) -> Any:
    if not isinstance(low, Version):
        return low + step if low + step < high else low + (high - low) / 2
    lengths = (2, max(2, len(low.release), len(high.release)))
    longer = [Version((*low.release, *(0,) * (length - len(low.release)), 1)) for length in lengths]
    return next((each for each in longer if low < each < high), Version(low.release, (*low.pre, (0, 0, ""))))


def _other(texts: Iterable[str]) -> str:
    taken, text = set(texts), ANY_OTHER
    while text in taken:
        text += "-" + ANY_OTHER
    return text


def _plain(value: Any, fact: Fact) -> str:
    """A value as it stands in YAML, or after the equals sign of `--given`."""
    return value if isinstance(value, str) else written(value, fact)
