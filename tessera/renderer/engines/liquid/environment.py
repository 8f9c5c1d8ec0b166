"""Liquid, as python-liquid reads it, with everything taken out that could leak, forge markup or run away.

python-liquid's parser and tree stay as they are; the environment, the render context and the table of filters are ours.
Here is what renders by walking the tree; `compiler` renders the same faster, and leaves some of it to this.
Where its language departs from Shopify's Liquid, `mends` puts that right.
Shared templates are never handed data: it goes to the context of one render alone.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from io import StringIO
from pathlib import Path
from typing import ClassVar, TextIO

from liquid import BoundTemplate, Environment, RenderContext, Token
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, StringLiteral
from liquid.builtin.expressions import Path as LiquidPath
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import FilterArgumentError, LiquidError, ResourceLimitError, TemplateNotFoundError
from liquid.extra import BlockTag, CallTag, ExtendsTag, MacroTag
from liquid.loader import BaseLoader, TemplateSource
from liquid.tag import Tag
from liquid.token import TOKEN_CONTENT
from liquid.utils import ReadOnlyChainMap

from tessera.renderer.engines.base import TOO_DEEP, Limits, RenderError, SyntaxFault, in_house_style
from tessera.renderer.engines.filter_arguments import CLOCK_WORDS, NO_CLOCK
from tessera.renderer.engines.fragments import Nested, check_count, nested_name
from tessera.renderer.engines.liquid.abort import AbortTag
from tessera.renderer.engines.liquid.filters import liquid_filters
from tessera.renderer.engines.liquid.fragment import FragmentTag, nested_fragments
from tessera.renderer.engines.liquid.mends.blank import ask_for_blank
from tessera.renderer.engines.liquid.mends.empty import read_arguments_as_text, read_as_text
from tessera.renderer.engines.liquid.mends.interrupts import InterruptedTemplate
from tessera.renderer.engines.liquid.mends.last_newline import Tokenizer, keeping_last_newline
from tessera.renderer.engines.liquid.mends.members import MemberOutput, read_members
from tessera.renderer.engines.liquid.mends.paths import make_hashable
from tessera.renderer.engines.liquid.scan import check_delimiters, unended
from tessera.renderer.engines.liquid.tree import all_nodes, expressions_of
from tessera.renderer.engines.meter import FILTER_STEPS, PARTIAL_STEPS, STEP_BYTES, Meter, fits
from tessera.renderer.engines.places import line_and_column
from tessera.renderer.engines.translations import NO_TRANSLATIONS, Translations

FAULTS = (LiquidError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What rendering a template may raise through its own fault or its data's; anything else is a fault of ours."""


def over_limit(message: str) -> Exception:
    """Return the fault of a template that exceeds a limit."""
    return ResourceLimitError(message, token=None)


class _Output(StringIO):
    """Text of one render, or of one part of it, that cannot outgrow its limit."""

    def __init__(self, meter: Meter, room: int) -> None:
        super().__init__()
        self.meter = meter
        self.room = room

    def write(self, text: str) -> int:
        size = len(text)
        self.room -= size
        if self.room < 0:
            raise over_limit("the output is larger than the limit")
        if size >= STEP_BYTES:
            self.meter.spend(size // STEP_BYTES)
        return super().write(text)


class _Context(RenderContext):
    """One render: python-liquid's own context, without its clock, and with a budget."""

    __slots__ = ("_disabled_tags", "inputs", "meter")

    def __init__(self, template: BoundTemplate, **options: object) -> None:
        parent = options.get("parent_context")
        assert isinstance(template.env, LiquidEnvironment)
        inherited = parent.meter if isinstance(parent, _Context) else None
        self.meter: Meter = inherited or Meter(template.env.limits, over_limit)
        super().__init__(template, **options)  # type: ignore[arg-type]
        self.inputs: Mapping[str, object] = parent.inputs if isinstance(parent, _Context) else self.globals
        # The stock chain also holds `now` and `today`, read from the clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)

    @property
    def disabled_tags(self) -> list[str]:
        """Every node asks for this before it is rendered: the one place where all of them can be counted."""
        self.meter.spend()
        return self._disabled_tags

    @disabled_tags.setter
    def disabled_tags(self, tags: list[str]) -> None:
        self._disabled_tags = tags

    def copy(
        self,
        namespace: Mapping[str, object],
        disabled_tags: list[str] | None = None,
        carry_loop_iterations: bool = False,
        template: BoundTemplate | None = None,
        block_scope: bool = False,
    ) -> RenderContext:
        """Return the context of something within this one, such as a template taken in with `render`.

        That sees its arguments and the inputs. python-liquid hands on the arguments of a `render` around it as well.
        """
        handed = self.globals
        if template is not None:
            self.globals = self.inputs
        try:
            return super().copy(namespace, disabled_tags, carry_loop_iterations, template, block_scope)
        finally:
            self.globals = handed

    def get(self, path: list[object], **options: object) -> object:
        value = super().get(path, **options)  # type: ignore[arg-type]
        if type(value) is list:
            self.meter.spend(len(value))
        return value

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        return partial(self._apply, super().filter(name, token), token)

    def _apply(
        self, function: Callable[..., object], token: Token | None, left: object, /, *values: object, **named: object
    ) -> object:
        """Apply a filter within the budget: what it is handed is paid for, and what it gives is measured."""
        self.meter.spend(FILTER_STEPS + (len(left) if isinstance(left, range | list) else 0))
        try:
            result = function(left, *values, **named)
        except (ArithmeticError, LookupError, ValueError) as error:
            raise FilterArgumentError(str(error), token=token) from error
        self.meter.glance(result)
        return result

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.meter.spend(length)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return _Output(self.meter, self.meter.limits.value_bytes)


class _Range(RangeLiteral):
    """A range whose length is paid for: searching one takes time without ever making a value."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        result = super().evaluate(context)
        context.meter.pay(result)  # type: ignore[attr-defined]  # Every context of ours has one.
        return result


class _Template(InterruptedTemplate):
    context_class = _Context


class _Loader(BaseLoader):
    """Gives the parsed templates of one catalogue, as they are."""

    def __init__(self, environment: "LiquidEnvironment") -> None:
        self._environment = environment

    def get_source(self, *_args: object, **_named: object) -> TemplateSource:
        raise NotImplementedError("templates are parsed when the catalogue is loaded")

    def load(self, env: Environment, name: str, **named: object) -> BoundTemplate:
        context = named.get("context")
        if isinstance(context, _Context):
            context.meter.spend(PARTIAL_STEPS)
        return self._environment.find(name)


class LiquidEnvironment(Environment):
    """The settings that all Liquid templates of one catalogue share, and those templates."""

    template_class = _Template
    context_depth_limit: ClassVar[int] = 100

    def __init__(
        self, limits: Limits, resolve: Callable[[str], str | None], translations: Translations = NO_TRANSLATIONS
    ) -> None:
        """`resolve` turns a partial's name, as a tag has it, into that of a template of this environment."""
        self.limits = limits
        self.trees: dict[str, BoundTemplate] = {}
        self.paths: dict[str, str] = {}
        self.nested: dict[str, tuple[Nested, ...]] = {}
        self.names_set: dict[str, set[str]] = {}
        self._resolve = resolve
        self._translations = translations
        super().__init__(autoescape=True, loader=_Loader(self))

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters()
        for tag in (AbortTag, BlockTag, CallTag, ExtendsTag, FragmentTag, MacroTag, MemberOutput):
            self.add_tag(tag)
        self.filters = liquid_filters(self._translations)

    def add_tag(self, tag: type[Tag]) -> None:
        super().add_tag(tag)
        read_members(self.tags[tag.name])

    def tokenizer(self) -> Tokenizer:
        return keeping_last_newline(super().tokenizer())

    def find(self, name: str) -> BoundTemplate:
        """Return a template of the catalogue; raises python-liquid's TemplateNotFoundError."""
        full = self._resolve(name)
        if full is None or full not in self.trees:
            raise TemplateNotFoundError(name)
        return self.trees[full]

    def add(self, name: str, text: str) -> BoundTemplate:
        """Parse a template and keep it under its full name; raises SyntaxFault."""
        check_delimiters(text)
        check_count(text)
        path = Path(name)
        try:
            tree = self.from_string(text, name=path.name, path=path)
            self._add(name, tree)
        except RecursionError:
            raise SyntaxFault(TOO_DEEP) from None
        except LiquidError as error:
            raise _syntax_fault(error, text) from None
        self.paths[text] = name
        return tree

    def _add(self, name: str, tree: BoundTemplate) -> None:
        """Keep a tree, and apart from it those of the fragments that are nested in it."""
        self._check_filters(tree.nodes)
        self._mend(tree.nodes)
        nested = []
        for node in nested_fragments(tree.nodes):
            place = line_and_column(node.token.source, node.token.start_index)
            nested.append(Nested(node.name, nested_name(name, node.name), *place))
            inner = self.template_class(env=self, nodes=[node.block], name=tree.name, path=tree.path)
            self._add(nested[-1].full, inner)
        self.nested[name] = tuple(nested)
        self.names_set[name] = {str(each) for node in all_nodes(tree.nodes) for each in node.template_scope()}
        self.trees[name] = tree

    def add_plain(self, name: str, text: str) -> BoundTemplate:
        """Keep a text that is not parsed, under its full name."""
        path = Path(name)
        node = ContentNode(Token(TOKEN_CONTENT, text, 0, text), text)
        self.trees[name] = self.template_class(env=self, nodes=[node], name=path.name, path=path)
        return self.trees[name]

    def _check_filters(self, nodes: list[Node]) -> None:
        for expression in expressions_of(nodes):
            if not isinstance(expression, FilteredExpression):
                continue
            for each in expression.filters or ():
                if each.name not in self.filters:
                    raise _fault_at(each.token, f"unknown filter `{each.name}`")
                left = expression.left
                if each.name == "date" and isinstance(left, StringLiteral) and left.value in CLOCK_WORDS:
                    raise _fault_at(each.token, NO_CLOCK)

    def _mend(self, nodes: list[Node]) -> None:
        for node in all_nodes(nodes):
            read_arguments_as_text(node)
        for expression in [*expressions_of(nodes)]:
            if type(expression) is RangeLiteral:
                expression.__class__ = _Range  # The parser has no hook for its literals.
            elif isinstance(expression, LiquidPath):
                make_hashable(expression)
            elif isinstance(expression, FilteredExpression):
                read_as_text(expression)
            elif isinstance(expression, BooleanExpression):
                ask_for_blank(expression)


def render_liquid(template: BoundTemplate, inputs: Mapping[str, object]) -> str:
    """Render a template with its inputs; raises RenderError."""
    environment = template.env
    assert isinstance(environment, LiquidEnvironment)
    context = _Context(template, globals=inputs)
    output = _Output(context.meter, environment.limits.output_bytes)
    try:
        template.render_with_context(context, output)
    except FAULTS as error:
        raise render_error(error, template, environment) from error
    text = output.getvalue()
    if not fits(text, environment.limits.output_bytes):
        raise RenderError("the output is larger than the limit", str(template.path), 1, 1)
    return text


def render_error(error: Exception, template: BoundTemplate, environment: LiquidEnvironment) -> RenderError:
    """Say of what went wrong in a render which template, line and column it is about."""
    token = error.token if isinstance(error, LiquidError) else None
    if token is None or token.start_index < 0:
        return RenderError(_first_line(error), str(template.path), 1, 1)
    path = environment.paths.get(token.source, str(template.path))
    line, column = line_and_column(token.source, token.start_index)
    return RenderError(_first_line(error), path, line, column)


def _first_line(error: Exception) -> str:
    if isinstance(error, TemplateNotFoundError):
        return f"there is no template `{error.args[0]}`"
    message = error.message if isinstance(error, LiquidError) else error
    return in_house_style(str(message).split("\n")[0]) or type(error).__name__


def _syntax_fault(error: LiquidError, text: str) -> SyntaxFault:
    message = _first_line(error)
    unended_tag = re.fullmatch(r"expected tag (end\w+), found .*", message)
    if isinstance(error.__cause__, RecursionError):
        return SyntaxFault(TOO_DEEP)
    if error.token is None or error.token.start_index < 0:
        end = unended_tag[1] if unended_tag else ""
        place = line_and_column(text, unended(text, end)) if end else (1, 1)
        return SyntaxFault(f"`{end.removeprefix('end')}` is never ended by `{end}`" if end else message, *place, 2)
    return _fault_at(error.token, message)


def _fault_at(token: Token, message: str) -> SyntaxFault:
    width = len(token.value.split("\n")[0])
    return SyntaxFault(message, *line_and_column(token.source, token.start_index), width)
