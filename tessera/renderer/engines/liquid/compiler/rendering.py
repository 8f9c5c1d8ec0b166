"""Renders a template by its compiled form, and says of a fault where in which template it lies."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import islice
from types import CodeType, TracebackType

from liquid import Token
from liquid.exceptions import LiquidError

from tessera.renderer.engines.base import RenderError
from tessera.renderer.engines.liquid.compiler.runtime import Run
from tessera.renderer.engines.liquid.compiler.shapes import Unit, UnitKey
from tessera.renderer.engines.liquid.compiler.units import Units
from tessera.renderer.engines.liquid.environment import FAULTS, over_limit, render_error, render_liquid
from tessera.renderer.engines.meter import Meter, fits
from tessera.renderer.engines.places import line_and_column


class CompiledTemplate:
    """A template of a catalogue as a function."""

    __slots__ = ("_function", "_tree", "_units")

    def __init__(self, units: Units, name: str) -> None:
        self._units = units
        self._tree = units.environment.trees[name]
        unit = units.unit(UnitKey(name, "main"))
        self._function = unit.function if unit else None

    def render(self, inputs: Mapping[str, object]) -> str:
        """Render with inputs; raises RenderError. Writes and refuses what `render_liquid` does."""
        environment = self._units.environment
        if self._function is None:
            return render_liquid(self._tree, inputs)
        try:
            text: str = self._function(Run(environment, Meter(environment.limits, over_limit)), inputs)
        except FAULTS as error:
            if isinstance(error, LiquidError) and error.token is None:
                error.token = self._place(error)
            raise render_error(error, self._tree, environment) from error
        if not fits(text, environment.limits.output_bytes):
            raise RenderError("the output is larger than the limit", str(self._tree.path), 1, 1)
        return text

    def _place(self, error: Exception) -> Token | None:
        """Return the token of the outermost node around a fault, in the innermost template that was running.

        Compiled code has the places of the template, so where it was is known without noting it on the way.
        """
        found: Token | None = None
        traceback = error.__traceback__
        while traceback is not None:
            unit = self._units.codes.get(traceback.tb_frame.f_code)
            if unit is not None:
                found = _outermost(unit, traceback)
            traceback = traceback.tb_next
        return found


def _outermost(unit: Unit, traceback: TracebackType) -> Token | None:
    line, column = _position(traceback.tb_frame.f_code, traceback.tb_lasti)
    tokens = [node.token for node in unit.tree.nodes]
    places = [line_and_column(token.source, max(token.start_index, 0)) for token in tokens]
    number = bisect_right(places, (line, column + 1)) - 1
    return tokens[number] if number >= 0 else None


def _position(code: CodeType, instruction: int) -> tuple[int, int]:
    line, _, column, _ = next(islice(code.co_positions(), instruction // 2, None))
    return line or 1, column or 0
