"""What compiled templates call while they run: every value that they make, look through or write pays here.

Compiled code hands in the meter of its render, which it got from its context once.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jinja2 import Template, Undefined
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.utils import missing
from markupsafe import Markup, escape

from tessera.renderer.engines.filter_arguments import FilterFault
from tessera.renderer.engines.meter import FILTER_STEPS, PARTIAL_STEPS, STEP_BYTES, Meter

_PRINTABLE = (int, float, Decimal, date, timedelta, range, Undefined, Macro, TemplateModule)


class MeteredContext(Context):
    """Jinja's context, with the meter of the render that it belongs to."""

    meter: Meter

    def derived(self, locals: dict[str, Any] | None = None) -> "MeteredContext":
        """Return the context of a scoped block."""
        context = super().derived(locals)
        assert isinstance(context, MeteredContext)
        context.meter = self.meter
        return context

    def within(self, template: Template, names: Mapping[str, object]) -> "MeteredContext":
        """Return the context of a template that is taken in and sees what is around it: `names` and all of this one."""
        self.meter.spend(PARTIAL_STEPS)
        parent = {**self.parent, **self.vars}
        for name, value in names.items():
            if value is not missing:
                parent[name] = value
        return new_context(template, parent, self.meter)

    def apart(self, template: Template) -> "MeteredContext":
        """Return the context of a template that is taken in and sees the functions only."""
        self.meter.spend(PARTIAL_STEPS)
        return new_context(template, dict(template.environment.globals), self.meter)

    def concat(self, parts: Iterable[str]) -> str:
        """Join what a body wrote to a value."""
        text = "".join(parts)
        if len(text) >= STEP_BYTES:
            self.meter.measure(text)
        return text


def new_context(template: Template, names: dict[str, Any], meter: Meter) -> MeteredContext:
    """Return the context in which a template is rendered that sees these names."""
    context = MeteredContext(template.environment, names, template.name, template.blocks)
    context.meter = meter
    return context


def meter_of(context: Context | None) -> Meter:
    """Return the meter of a render by what Jinja hands on of it."""
    assert isinstance(context, MeteredContext)
    return context.meter


def written(value: object, meter: Meter) -> str:
    """Return the markup of a value: markup as it is, of anything else its text, escaped."""
    if type(value) is int:
        return str(value)
    if value is None:
        return ""
    return escape(printed(value, meter))


def printed(value: object, meter: Meter) -> str:
    """Return the text of a value: an empty one for None. What has none of its own, such as functions, is refused."""
    if isinstance(value, str):
        if len(value) >= STEP_BYTES:
            meter.measure(value)
        return value
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        meter.measure(value)
    elif not isinstance(value, _PRINTABLE):
        raise FilterFault(f"a {type(value).__name__.lower()} cannot be printed")
    return value.__html__() if isinstance(value, TemplateModule) else str(value)


def joined(parts: Iterable[object], meter: Meter) -> str:
    """Write parts one after another: markup where one of them is, and then the others are escaped."""
    texts = [printed(part, meter) for part in parts]
    meter.afford(sum(map(len, texts)))
    if any(hasattr(text, "__html__") for text in texts):
        return Markup("").join(texts)
    return "".join(texts)


def each(value: Any, meter: Meter) -> Any:
    """Pay for every element of what a loop goes through."""
    sequence = value if isinstance(value, list | tuple | dict | str | range) else list(value)
    meter.spend(len(sequence))
    return sequence


def filtered(value: object, meter: Meter) -> object:
    """Pay for a filter by what it gave."""
    meter.spend(FILTER_STEPS)
    if type(value) is not str or len(value) >= STEP_BYTES:
        meter.glance(value)
    return value


def glanced(value: object, meter: Meter) -> object:
    """Pay for a value made of parts of another, such as a slice."""
    meter.glance(value)
    return value


def measured(value: object, meter: Meter) -> object:
    """Pay for a list or an object that the template writes out."""
    meter.measure(value)
    return value


def paid(value: object, meter: Meter) -> object:
    """Pay for looking through a value."""
    if type(value) is not str or len(value) >= STEP_BYTES:
        meter.pay(value)
    return value
