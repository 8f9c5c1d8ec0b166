"""Jinja, as jinja2 compiles it, in its immutable sandbox made tighter: plain data in, bounded work, markup escaped.

Templates see dicts by their keys, lists by their indices and texts by a few methods; no other attribute of data
exists. See `bounds` for how work is bounded and `filters` for what remains of the filters.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any

from jinja2 import (
    BaseLoader,
    ChainableUndefined,
    Environment,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    nodes,
)
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from tessera.renderer.engines.base import TOO_DEEP, Limits, RenderError, SyntaxFault, in_house_style
from tessera.renderer.engines.filters import FilterFault
from tessera.renderer.engines.fragments import Nested, check_count, file_of, nested_name
from tessera.renderer.engines.jinja.abort import ABORT, AbortTag, abort
from tessera.renderer.engines.jinja.bounds import bound
from tessera.renderer.engines.jinja.filters import METER, finalize, jinja_filters
from tessera.renderer.engines.jinja.fragment import FragmentTag, NestedFragment, names_set, nested_fragments
from tessera.renderer.engines.jinja.places import Columns, column_of
from tessera.renderer.engines.meter import FILTER_STEPS, Meter, fits, magnitude
from tessera.renderer.engines.places import line_and_column

FAULTS = (
    TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What rendering a template may raise through its own fault or its data's; anything else is a fault of ours."""

MAX_POWER_BITS = 4096
_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_TEXT_METHODS = frozenset({"capitalize", "endswith", "lower", "split", "startswith", "strip", "title", "upper"})
_RUNTIME = (LoopContext, Macro, Namespace, TemplateModule, TemplateReference, Undefined, tuple)
"""Jinja's own objects, which its sandbox guards. Of all others only members are reachable: `datetime` has a `now()`."""


class _OverLimit(TemplateError):
    """A limit was reached."""


class Function:
    """A function or method that templates may call, and that prints the same in every process."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., object]) -> None:
        self._name = name
        self._call = call

    def __call__(self, *values: object, **named: object) -> object:
        return self._call(*values, **named)

    def __repr__(self) -> str:
        return f"<function {self._name}>"


class _Namespace(Namespace):
    """Jinja's namespace. What it holds it does not print: held within one another they would print without end."""

    def __repr__(self) -> str:
        return "<namespace>"


class _Loader(BaseLoader):
    """Gives tags the compiled templates of one catalogue."""

    def load(self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None) -> Template:
        """Return a copy of a template: jinja2 keeps the variables of an imported one on it, from render to render."""
        assert isinstance(environment, JinjaEnvironment)
        found = environment.find(name)
        if found is None:
            raise TemplateNotFound(name, f"there is no template `{name}`")
        fresh = object.__new__(Template)
        fresh.__dict__.update(environment.template(found[0]).__dict__)
        return fresh


class JinjaEnvironment(ImmutableSandboxedEnvironment):
    """The settings that all Jinja templates of one catalogue share, and those templates."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "**", "%"))

    def __init__(self, limits: Limits, resolve: Callable[[str], str | None]) -> None:
        """`resolve` turns a partial's name, as a tag has it, into that of a template of this environment."""
        super().__init__(
            autoescape=True,
            undefined=ChainableUndefined,
            finalize=finalize,
            optimized=False,
            extensions=[Columns, AbortTag, FragmentTag],
            loader=_Loader(),
            cache_size=0,
        )
        self.limits = limits
        self.nested: dict[str, tuple[Nested, ...]] = {}
        self.names_set: dict[str, set[str]] = {}
        self.trees: dict[str, nodes.Template] = {}
        self._templates: dict[str, Template] = {}
        self._resolve = resolve
        self.filters = {**jinja_filters(), ABORT: abort}
        del self.tests["sameas"]  # Whether two equal values are one object says nothing, and not always the same.
        self.globals = {
            "dict": Function("dict", dict),
            "namespace": Function("namespace", _Namespace),
            "range": Function("range", self._range),
        }

    def add(self, name: str, text: str) -> nodes.Template:
        """Parse and compile a template and keep it under its full name; raises SyntaxFault. Returns its tree."""
        check_count(text)
        collected = self.extensions[FragmentTag.identifier]
        assert isinstance(collected, FragmentTag)
        collected.taken()  # what is left of a template that could not be parsed
        try:
            self._add(name, self.parse(text, name), collected.taken())
        except TemplateSyntaxError as error:
            raise _syntax_fault(error, text) from None
        except (RecursionError, MemoryError):
            raise SyntaxFault(TOO_DEEP) from None
        except (SyntaxError, OverflowError, ValueError) as error:
            reason = re.sub(r"\bl_\d+_", "", str(error.args[0]))  # Jinja's own prefixes of names.
            raise SyntaxFault(in_house_style(f"the template cannot be compiled: {reason}")) from None
        return self.trees[name]

    def _add(self, name: str, tree: nodes.Template, found: Sequence[NestedFragment]) -> None:
        """Keep a tree, and apart from it those of the fragments that are nested in it."""
        nested = nested_fragments(tree, found)
        self.nested[name] = tuple(
            Nested(each.name, nested_name(name, each.name), int(each.mark.lineno), column_of(each.mark.lineno))
            for each in nested
        )
        self.names_set[name] = names_set(tree)
        for inner, place in zip(nested, self.nested[name], strict=True):
            body = nodes.Template(inner.body, lineno=1)
            body.set_environment(self)
            self._add(place.full, body, found)
        self.trees[name] = bound(tree)
        self._templates[name] = self._compiled(name, self.trees[name])

    def add_plain(self, name: str, text: str) -> None:
        """Keep a text that is not parsed, under its full name. It is compiled when it is first rendered."""
        tree = nodes.Template([nodes.Output([nodes.TemplateData(text, lineno=1)], lineno=1)], lineno=1)
        tree.set_environment(self)
        self.trees[name] = tree

    def find(self, name: str) -> tuple[str, nodes.Template] | None:
        """Return a template's full name and tree by the name that a tag has for it, or a nested fragment's own."""
        if "#" in name and name in self.trees:
            return file_of(name), self.trees[name]
        full = self._resolve(name)
        return (full, self.trees[full]) if full is not None and full in self.trees else None

    def template(self, name: str) -> Template:
        """Return a template by its full name."""
        if name not in self._templates:
            self._templates[name] = self._compiled(name, self.trees[name])
        return self._templates[name]

    def line_in(self, file: str, line: int) -> tuple[str, int] | None:
        """Return the template and its line that a line of compiled code comes from."""
        template = self._templates.get(file)
        return None if template is None else (file_of(file), max(1, int(template.get_corresponding_lineno(line))))

    def _compiled(self, name: str, tree: nodes.Template) -> Template:
        return Template.from_code(self, self.compile(tree, name, name), self.make_globals(None))

    # What templates can do to values

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            if attribute in _MAPPING_METHODS:
                return self._method(obj, attribute)
        elif isinstance(obj, str):
            if attribute in _TEXT_METHODS:
                return self._method(obj, attribute)
        elif isinstance(obj, _RUNTIME):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str):
            return self.getattr(obj, str(argument))
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def _method(self, obj: Any, name: str) -> Function:
        method = getattr(obj, name)
        listed = isinstance(obj, Mapping) and name != "get"
        return Function(name, (lambda: list(method())) if listed else method)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        meter = METER.get()
        meter.spend(FILTER_STEPS)
        if isinstance(obj, Macro) and (obj.catch_varargs or obj.catch_kwargs):
            meter.measure([*args, *kwargs.values()])
        result = super().call(context, obj, *args, **kwargs)
        meter.measure(result)
        return result

    def call_filter(self, name: str, value: Any, *rest: Any, **named: Any) -> Any:
        result = super().call_filter(name, value, *rest, **named)
        meter = METER.get()
        meter.spend(FILTER_STEPS)
        meter.glance(result)
        return result

    def call_test(self, name: str, value: Any, args: Any = None, *rest: Any, **named: Any) -> Any:
        meter = METER.get()
        meter.spend()
        for each in (value, *(args or ())):
            meter.pay(each)
        return super().call_test(name, value, args, *rest, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        meter = METER.get()
        if operator == "%" and isinstance(left, str):
            raise FilterFault("texts are not formatted with `%`; write `~` between their parts")
        if operator in ("*", "+") and not (_is_number(left) and _is_number(right)):
            meter.afford(_repeated(left, right) if operator == "*" else _length(left) + _length(right))
        if operator == "**":
            if isinstance(left, Decimal) or isinstance(right, Decimal):
                raise FilterFault("decimals are not raised to a power")
            if isinstance(right, int) and magnitude(left) * abs(right) > MAX_POWER_BITS:
                raise FilterFault("a power would be too large")
        result = super().call_binop(context, operator, left, right)
        meter.glance(result)
        return result

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        METER.get().pay(numbers)
        return numbers


def render_jinja(template: Template, inputs: Mapping[str, object]) -> str:
    """Render a template with its inputs; raises RenderError."""
    environment = template.environment
    assert isinstance(environment, JinjaEnvironment)
    limit = environment.limits.output_bytes
    token = METER.set(Meter(environment.limits, _OverLimit))
    try:
        context = template.new_context({key: inputs[key] for key in inputs if key not in environment.globals})
        parts: list[str] = []
        room = limit
        for part in template.root_render_func(context):
            room -= len(part)
            if room < 0:
                raise _OverLimit("the output is larger than the limit")
            parts.append(part)
        text = "".join(parts)
        if not fits(text, limit):
            raise _OverLimit("the output is larger than the limit")
    except FAULTS as error:
        name, line = _place(error.__traceback__, template, environment)
        raise RenderError(in_house_style(str(error)) or type(error).__name__, name, line, 1) from error
    finally:
        METER.reset(token)
    return text


def _place(trace: TracebackType | None, template: Template, environment: JinjaEnvironment) -> tuple[str, int]:
    """Return the innermost line of a template in a traceback."""
    place = (file_of(template.name or ""), 1)
    while trace is not None:
        place = environment.line_in(trace.tb_frame.f_code.co_filename, trace.tb_lineno) or place
        trace = trace.tb_next
    return place


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 8 * len(value) if isinstance(value, list | tuple) else 0


def _repeated(left: object, right: object) -> int:
    return max(
        _length(left) * right if isinstance(right, int) else 0, _length(right) * left if isinstance(left, int) else 0
    )


def _syntax_fault(error: TemplateSyntaxError, text: str) -> SyntaxFault:
    message = error.message or "the template cannot be read"
    at = re.fullmatch(r"(unexpected char .*) at (\d+)", message)
    if at is not None:
        return SyntaxFault(in_house_style(at[1]), *line_and_column(text, int(at[2])))
    unknown = re.fullmatch(r"No (filter|test) named '(.*)'\.", message)
    if unknown is not None:
        message = f"unknown {unknown[1]} `{unknown[2]}`"
    return SyntaxFault(in_house_style(message), int(error.lineno), column_of(error.lineno))
