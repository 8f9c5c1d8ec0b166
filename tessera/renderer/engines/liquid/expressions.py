"""What the expressions of a Liquid template look at, and what they stand for."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from liquid import BoundTemplate, Token
from liquid.builtin.expressions import (
    BooleanExpression,
    Filter,
    FilteredExpression,
    KeywordArgument,
    Nil,
    Path,
    StringLiteral,
    TernaryFilteredExpression,
)
from liquid.builtin.expressions.logical import (
    EqExpression,
    LogicalAndExpression,
    LogicalNotExpression,
    LogicalOrExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.expression import Expression

from tessera.renderer.engines.demands import NOTHING, Ledger, Value, either
from tessera.renderer.engines.filter_reads import Argument, FilterUse
from tessera.renderer.engines.liquid.filter_reads import LIQUID_READS, liquid_paths
from tessera.renderer.engines.liquid.scope import Scope
from tessera.renderer.engines.liquid.tests import COMPARISONS, Comparison, comparison_test
from tessera.renderer.engines.liquid.tree import spelled, token_span
from tessera.rules.source import Span

MAX_VISITS = 10_000


class Expressions(ABC):
    """Evaluates expressions abstractly, on behalf of what walks the tags."""

    def __init__(self, template: BoundTemplate) -> None:
        self.ledger = Ledger(MAX_VISITS)
        self._template = template

    @property
    @abstractmethod
    def file(self) -> str:
        """Where spans say that the template being walked lies."""

    @abstractmethod
    def parent_block(self, scope: Scope) -> None:
        """Walk what `block.super` stands for."""

    def span(self, token: Token, text: str = "") -> Span:
        """Return the place of a token; `text` is how the author probably wrote what begins there."""
        return token_span(self.file, token, text)

    def value(self, expression: Expression, scope: Scope) -> Value:
        """Return what an expression stands for, demanding only what computing that needs."""
        if isinstance(expression, Path):
            return self._path(expression, scope)
        if isinstance(expression, FilteredExpression):
            return self._filtered(self.value(expression.left, scope), expression.filters or (), scope)
        if isinstance(expression, TernaryFilteredExpression):
            self.test(expression.condition, scope)
            result = self.value(expression.left, scope)
            if expression.alternative is not None:
                other = self.value(expression.alternative, scope)
                result |= self._filtered(other, expression.filters or (), scope)
            return self._filtered(result, expression.tail_filters or (), scope)
        self.test(expression, scope)
        return NOTHING

    def whole(self, expression: Expression, scope: Scope) -> None:
        """All of an expression's value is read."""
        value = self.value(expression, scope)
        self.ledger.whole(value, self.span(expression.token, spelled(expression)))

    def test(self, expression: Expression, scope: Scope) -> None:
        """Whether an expression holds is read."""
        self.ledger.visit()
        if isinstance(expression, BooleanExpression):
            self.test(expression.expression, scope)
        elif isinstance(expression, LogicalAndExpression | LogicalOrExpression):
            self.test(expression.left, scope)
            self.test(expression.right, scope)
        elif isinstance(expression, LogicalNotExpression):
            self.test(expression.right, scope)
        elif isinstance(expression, EqExpression | NeExpression) and _asks_presence(expression):
            self.test(expression.left, scope)
            self.test(expression.right, scope)
        elif isinstance(expression, Path | FilteredExpression | TernaryFilteredExpression):
            value = self.value(expression, scope)
            self.ledger.presence(value, self.span(expression.token, spelled(expression)))
        elif isinstance(expression, COMPARISONS):
            self._compare(expression, scope)
        else:
            for operand in expression.children():
                self.whole(operand, scope)

    def _compare(self, comparison: Comparison, scope: Scope) -> None:
        test = comparison_test(comparison, self._template)
        if test is None:
            self.whole(comparison.left, scope)
            self.whole(comparison.right, scope)
        else:
            tested, asked = test
            self.ledger.asked(self.value(tested, scope), asked, self.span(tested.token, spelled(tested)))

    def _filtered(self, value: Value, filters: Iterable[Filter], scope: Scope) -> Value:
        for each in filters:
            positional: list[Argument] = []
            named: dict[str, Argument] = {}
            for given in each.args:
                text = given.value.value if isinstance(given.value, StringLiteral) else None
                argument = Argument(self.value(given.value, scope), text)
                if isinstance(given, KeywordArgument):
                    named[given.name] = argument
                else:
                    positional.append(argument)
            use = FilterUse(self.ledger, value, positional, named, self.span(each.token), liquid_paths)
            value = LIQUID_READS.get(each.name, FilterUse.whole)(use)
        return value

    def _path(self, path: Path, scope: Scope) -> Value:
        span = self.span(path.token, str(path))
        root, *segments = path.path
        if isinstance(root, Path):
            self.whole(root, scope)
            self.ledger.everything(span)
            return NOTHING
        value = scope.look_up(root) if isinstance(root, str) else NOTHING
        for segment in segments:
            value = self._step(value, segment, scope, span)
        return self.ledger.take(value, span)

    def _step(self, value: Value, segment: str | int | Path, scope: Scope, span: Span) -> Value:
        if isinstance(segment, int):
            self.ledger.length(value, span)
            return self.ledger.elements(value, span)
        if isinstance(segment, Path):
            self.whole(segment, scope)
            self.ledger.widen(value, span)
            return either(value.parts())
        if segment == "super" and "super" in value.callables:
            self.parent_block(scope)
            return NOTHING
        result = self.ledger.member(value, segment, span)
        if segment == "size":
            self.ledger.length(value, span)
        elif segment in ("first", "last"):
            self.ledger.length(value, span)
            result |= self.ledger.elements(value, span)
        return result


def _asks_presence(comparison: EqExpression | NeExpression) -> bool:
    """Whether a value is compared with nothing, not with another value."""
    return any(isinstance(side, Nil | Empty | Blank) for side in (comparison.left, comparison.right))
