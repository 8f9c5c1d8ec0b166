"""Filters that write moments. None reads a clock: `now.hour` and the like are inputs."""

import re
from datetime import UTC
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta

from tessera.renderer.engines.filter_arguments import FilterFault, locale_of, moment_of, text_of, zone_of

MAX_FORMAT_LENGTH = 100
NAMED_FORMATS = ("short", "medium", "long", "full")
_DIRECTIVES = re.compile(r"%(?!-?[aAbBdeHIjmMpSyYzZuUwWV%])")


def localised_date(value: object, form: object, locale: object = "en", zone: object = None) -> str:
    """Format a moment: `{{ visitor.last_purchase_at | date: "long", locale, "Europe/Berlin" }}`.

    `form` is `short`, `medium`, `long` or `full` (Unicode CLDR), a CLDR pattern such as `d. MMMM`, or strftime
    directives such as `%Y-%m-%d`, whose names of days and months are English. `value` is a timestamp or an ISO 8601
    text. Without a `zone`, inputs of `now` are in that of the site, all else in UTC.
    """
    if value is None or value == "":
        return ""
    moment, pattern = moment_of(value, "date"), text_of(form)
    if len(pattern) > MAX_FORMAT_LENGTH:
        raise FilterFault(f"a date format has at most {MAX_FORMAT_LENGTH} characters")
    # Only `now` comes in a zone that has a name.
    own = moment.tzinfo if isinstance(moment.tzinfo, ZoneInfo) else UTC
    local = moment.astimezone(own if zone is None else zone_of(text_of(zone)))
    if "%" not in pattern:
        write = format_date if pattern in NAMED_FORMATS else format_datetime
        return str(write(local, pattern, locale=locale_of(text_of(locale))))
    unknown = _DIRECTIVES.search(pattern)
    if unknown:
        raise FilterFault(f"unknown date directive `{pattern[unknown.start() : unknown.start() + 2]}`")
    return local.strftime(pattern)


def relative_time(value: object, now: object, locale: object) -> str:
    """Tell how long ago or ahead a moment is, in its largest unit: `3 hours ago`, `in 2 Tagen`.

    `{{ item.added_at | relative_time: now.hour, locale }}`; the smallest unit is the minute.
    """
    if value is None or value == "":
        return ""
    difference = moment_of(value, "relative_time") - moment_of(now, "relative_time")
    written = locale_of(text_of(locale))
    return str(format_timedelta(difference, granularity="minute", add_direction=True, locale=written))
