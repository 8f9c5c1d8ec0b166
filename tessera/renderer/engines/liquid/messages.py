"""The messages of a Liquid template."""

from collections.abc import Iterable, Iterator

from liquid import BoundTemplate
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    KeywordArgument,
    StringLiteral,
    TernaryFilteredExpression,
)
from liquid.expression import Expression

from tessera.renderer.engines.liquid.tree import expressions_of, token_span
from tessera.renderer.engines.messages import MessageUse


def liquid_messages(template: BoundTemplate, file: str) -> Iterator[MessageUse]:
    """Find every use of `t`."""
    for expression in expressions_of(template.nodes):
        if isinstance(expression, FilteredExpression):
            yield from _uses(expression.left, expression.filters or (), file)
        elif isinstance(expression, TernaryFilteredExpression):
            yield from _uses(expression.alternative, expression.filters or (), file)
            yield from _uses(None, expression.tail_filters or (), file)


def _uses(left: Expression | None, filters: Iterable[Filter], file: str) -> Iterator[MessageUse]:
    message = left.value if isinstance(left, StringLiteral) else None
    for each in filters:
        if each.name == "t":
            named = {given.name: given.value for given in each.args if isinstance(given, KeywordArgument)}
            plural = named.get("plural")
            token, width = (each.token, 0) if left is None or message is None else (left.token, len(message) + 2)
            yield MessageUse(
                message,
                plural.value if isinstance(plural, StringLiteral) else None,
                len(named) < len(each.args),
                frozenset(named),
                token_span(file, token, token.source[token.start_index :][:width]),
            )
        message = None
