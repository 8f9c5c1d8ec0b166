"""`date` also takes what Liquid takes: seconds since 1970 and texts as people write dates, such as `March 14, 2016`.

Without a format, Liquid writes its input as it is, and so it does with a text that is no date
(`Liquid::StandardFilters#date`, `Liquid::Utils.to_date`). Unlike Liquid's, this reads no clock: `now` and `today` stay
errors, and a text that leaves out the day, the month or the year is no date, as the clock would have to fill it in.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from dateutil.parser import parse  # type: ignore[import-untyped]
from dateutil.tz import tzoffset  # type: ignore[import-untyped]
from liquid import Undefined

from tessera.renderer.engines.filter_arguments import CLOCK_WORDS

MAX_LENGTH = 60
_FILLED_IN = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 2, 2, tzinfo=UTC))


def liquid_date(localised: Callable[..., object]) -> Callable[..., object]:
    """Return Liquid's `date`, which hands moments on to the filter of both languages."""

    def date(value: object, form: object, *values: object, **named: object) -> object:
        if isinstance(form, Undefined) or form is None:
            return value
        moment = _moment(value)
        return value if moment is None else localised(moment, form, *values, **named)

    return date


def _moment(value: object) -> object:
    """Return what the filter of both languages takes, or None for a text that is no date."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value
    text = str(value).strip()
    if text.isdecimal():
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text))
    if text == "" or text.lower() in CLOCK_WORDS:
        return text
    return _written(text)


def _written(text: str) -> datetime | None:
    if len(text) > MAX_LENGTH:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        one, other = (parse(text, default=default, tzinfos=_zone) for default in _FILLED_IN)
    except (ValueError, OverflowError):
        return None
    return one if one == other else None


def _zone(_name: str | None, offset: int | None) -> tzinfo:
    """Return the zone that a text names by its offset, never the machine's own, which has a name too."""
    zone: tzinfo = tzoffset(None, offset) if offset else UTC
    return zone
