"""What compiled templates call while they run: python-liquid's own ways, behind their fast ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO
from typing import TYPE_CHECKING

from liquid import BoundTemplate, RenderContext
from liquid.ast import Node
from liquid.exceptions import BreakLoop, ContinueLoop
from liquid.output import NullIO
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined, is_undefined
from liquid.utils import ReadOnlyChainMap
from markupsafe import Markup

from tessera.renderer.engines.meter import STEP_BYTES, Meter

if TYPE_CHECKING:
    from tessera.renderer.engines.liquid.environment import LiquidEnvironment

Append = Callable[[str], None]


class Run:
    """One render of a template, or of a partial that sees only what it is handed; what filters take for a context.

    `context` is python-liquid's own. It is made only for templates that leave something to it: tags without a compiled
    form, and what tags such as `cycle` remember.
    """

    __slots__ = ("autoescape", "context", "env", "meter", "room")

    def __init__(self, env: LiquidEnvironment, meter: Meter) -> None:
        self.env = env
        self.meter = meter
        self.autoescape = True
        self.room = meter.limits.output_bytes
        self.context: RenderContext | None = None

    def begin(self, template: BoundTemplate, inputs: Mapping[str, object]) -> RenderContext:
        """Make python-liquid's context, which shares the budget."""
        context = template.context_class(template, globals=inputs)
        context.meter = self.meter  # type: ignore[attr-defined]
        context.scope.push({"partial": False})
        self.context = context
        return context

    def isolated(self, template: BoundTemplate, handed: Mapping[str, object]) -> Run:
        """Return a run for a partial that sees only what it is handed, and the inputs."""
        assert self.context is not None
        run = Run(self.env, self.meter)
        run.room = self.room
        run.context = self.context.copy(
            ReadOnlyChainMap(handed), disabled_tags=["include"], carry_loop_iterations=True, template=template
        )
        run.context.scope.push({"partial": True})
        return run

    def stopindex(self, key: str, index: int | None = None) -> int:
        """Remember where a loop stopped, where any `offset: continue` could ask for it."""
        return 0 if self.context is None else self.context.stopindex(key, index)

    def interpret(self, node: Node, append: Append | None, pushed: Mapping[str, object]) -> None:
        """Have python-liquid render a node that has no compiled form, within what is in scope around it."""
        context = self.context
        assert context is not None
        context.scope.push(pushed)
        try:
            node.render(context, NullIO() if append is None else _Sink(self, append))
        finally:
            context.scope.pop()

    def wrote(self, text: str) -> str:
        """Pay for a text of some length that is about to be written, while there is room for it."""
        size = len(text)
        self.room -= size
        if self.room < 0:
            raise self.meter.fail("the output is larger than the limit")
        self.meter.spend(size // STEP_BYTES)
        return text

    def captured(self, parts: list[str], room: int) -> str:
        """Return the text that was collected, which is a value that the template made; `room` is what there was."""
        self.room = room
        if sum(map(len, parts)) > self.meter.limits.value_bytes:
            raise self.meter.fail("the output is larger than the limit")
        return "".join(parts)


class _Sink(StringIO):
    """Where python-liquid writes what it renders for a compiled template."""

    def __init__(self, run: Run, append: Append) -> None:
        super().__init__()
        self._run = run
        self._append = append

    def write(self, text: str) -> int:
        self._append(self._run.wrote(text))
        return len(text)


def pay_for_list(run: Run, value: object) -> object:
    """Pay for a list wherever it is looked up."""
    if type(value) is list:
        run.meter.spend(len(value))
    return value


def text_of(value: object) -> str:
    """Return how a value is written, escaped."""
    kind = type(value)
    if kind is int or kind is float or kind is Markup:
        return str(value)
    if value is None or kind is Undefined:
        return ""
    return str(to_liquid_string(value, autoescape=True))


def paid_text_of(run: Run, value: object) -> str:
    """Return how a value is written, escaped; a list is paid for."""
    if type(value) is list:
        run.meter.spend(len(value))
    return text_of(value)


def cycled(run: Run, group: object, named: bool, values: list[object]) -> str:
    """Return what a `cycle` writes this time."""
    context = run.context
    assert context is not None
    name = ("__UNDEFINED" if is_undefined(group) else str(group)) if named else ""
    index = context.cycle(name or str(values), len(values))
    return text_of(values[index]) if index < len(values) else ""


def leave_loop() -> None:
    """Leave the loop that a partial stands in."""
    raise BreakLoop("break")


def leave_round() -> None:
    """Leave this round of the loop that a partial stands in."""
    raise ContinueLoop("continue")
