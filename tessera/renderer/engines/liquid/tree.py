"""Reading python-liquid's tree: where things stand in it, which templates it takes in, how blocks override."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from liquid import BoundTemplate, Token
from liquid.ast import Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path, StringLiteral
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.expression import Expression
from liquid.extra.tags.extends_tag import BlockNode, ExtendsNode

from tessera.renderer.engines.base import Reference
from tessera.renderer.engines.places import span_at
from tessera.rules.source import Span


@dataclass(frozen=True, slots=True)
class LiquidBlock:
    """A block and the template that it stands in."""

    template: BoundTemplate
    node: BlockNode


def token_span(file: str, token: Token, text: str = "") -> Span:
    """Return the place of a token; `text` is how the author probably wrote what begins there."""
    width = len(text) if text and token.source.startswith(text, token.start_index) else len(token.value)
    return span_at(file, token.source, max(token.start_index, 0), width)


def spelled(expression: Expression) -> str:
    """Return how an author probably wrote the path that an expression begins with, or nothing."""
    while isinstance(expression, BooleanExpression | FilteredExpression):
        expression = expression.expression if isinstance(expression, BooleanExpression) else expression.left
    return str(expression) if isinstance(expression, Path) else ""


def all_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    """Go through the nodes of one template, those within others too, in the order of the text."""
    for node in nodes:
        yield node
        if not isinstance(node, IncludeNode | RenderNode | ExtendsNode):
            # Without partials, no other node asks anything of the context that it is handed.
            yield from all_nodes(node.children(None, include_partials=False))  # type: ignore[arg-type]


def liquid_references(template: BoundTemplate, file: str) -> tuple[Reference, ...]:
    """Return the places where a template takes in others."""
    found: list[Reference] = []
    for node in all_nodes(template.nodes):
        if isinstance(node, ExtendsNode):
            found.append(Reference(node.tag, str(node.name), token_span(file, node.name.token)))
        elif isinstance(node, IncludeNode | RenderNode):
            name = node.name.value if isinstance(node.name, StringLiteral) else None
            found.append(Reference(node.tag, name, token_span(file, node.name.token)))
    return tuple(found)


def inheritance(
    template: BoundTemplate, find: Callable[[str], BoundTemplate]
) -> tuple[BoundTemplate, Mapping[str, Sequence[LiquidBlock]]]:
    """Return the template at the root of what one extends, and for each name the blocks, overriding ones first."""
    blocks: dict[str, tuple[LiquidBlock, ...]] = {}
    while True:
        parent: ExtendsNode | None = None
        for node in all_nodes(template.nodes):
            if isinstance(node, BlockNode):
                blocks[node.name] = (*blocks.get(node.name, ()), LiquidBlock(template, node))
            elif isinstance(node, ExtendsNode):
                parent = parent or node
        if parent is None:
            return template, blocks
        template = find(parent.name)


def expressions_of(nodes: Iterable[Node]) -> Iterator[Expression]:
    """Find all expressions of one template, those within others too."""
    for node in all_nodes(nodes):
        for expression in node.expressions():
            yield from _within(expression)


def _within(expression: Expression) -> Iterator[Expression]:
    yield expression
    for inner in expression.children():
        yield from _within(inner)
