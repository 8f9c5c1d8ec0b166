"""Jinja, as jinja2 compiles it, in its immutable sandbox made tighter: plain data in, bounded work, markup escaped.

Templates see dicts by their keys, lists by their indices and texts by a few methods; no other attribute of data
exists. See `sandbox` for that, `metering` for how work is bounded and `filters` for what remains of the filters.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from io import StringIO
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

from tessera.renderer.engines.base import TOO_DEEP, Limits, RenderError, SyntaxFault, in_house_style
from tessera.renderer.engines.fragments import Nested, check_count, file_of, nested_name
from tessera.renderer.engines.jinja.abort import ABORT, AbortTag, abort
from tessera.renderer.engines.jinja.bounds import bound
from tessera.renderer.engines.jinja.filters import jinja_filters
from tessera.renderer.engines.jinja.fragment import FragmentTag, NestedFragment, names_set, nested_fragments
from tessera.renderer.engines.jinja.metering import MeteredGenerator
from tessera.renderer.engines.jinja.places import Columns, column_of
from tessera.renderer.engines.jinja.runtime import new_context
from tessera.renderer.engines.jinja.sandbox import Function, HardenedEnvironment, ReticentNamespace
from tessera.renderer.engines.jinja.traces import WrittenAt, show_templates, template_place
from tessera.renderer.engines.meter import Meter, fits
from tessera.renderer.engines.places import line_and_column
from tessera.renderer.engines.translations import NO_TRANSLATIONS, Translations

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


class _OverLimit(TemplateError):
    """A limit was reached."""


class _Loader(BaseLoader):
    """Gives tags the compiled templates of one catalogue."""

    def load(self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None) -> Template:
        """Return a template by the name that a tag has for it."""
        assert isinstance(environment, JinjaEnvironment)
        return environment.get_template(name)


class JinjaEnvironment(HardenedEnvironment):
    """The settings that all Jinja templates of one catalogue share, and those templates."""

    def __init__(
        self, limits: Limits, resolve: Callable[[str], str | None], translations: Translations = NO_TRANSLATIONS
    ) -> None:
        """`resolve` turns a partial's name, as a tag has it, into that of a template of this environment."""
        super().__init__(
            autoescape=True,
            undefined=ChainableUndefined,
            optimized=False,
            extensions=[Columns, AbortTag, FragmentTag],
            loader=_Loader(),
            cache_size=0,
        )
        self.limits = limits
        self.texts: dict[str, str] = {}
        self.nested: dict[str, tuple[Nested, ...]] = {}
        self.names_set: dict[str, set[str]] = {}
        self.trees: dict[str, nodes.Template] = {}
        self._templates: dict[str, Template] = {}
        self._partials: dict[str, Template] = {}
        self.places: dict[str, Sequence[WrittenAt]] = {}
        self._resolve = resolve
        self.filters = {**jinja_filters(translations), ABORT: abort}
        del self.tests["sameas"]  # Whether two equal values are one object says nothing, and not always the same.
        self.globals = {
            "dict": Function("dict", dict),
            "namespace": Function("namespace", ReticentNamespace),
            "range": Function("range", range),
        }

    def add(self, name: str, text: str) -> nodes.Template:
        """Parse and compile a template and keep it under its full name; raises SyntaxFault. Returns its tree."""
        check_count(text)
        collected = self.extensions[FragmentTag.identifier]
        assert isinstance(collected, FragmentTag)
        collected.taken()  # what is left of a template that could not be parsed
        try:
            self._add(name, text, self.parse(text, name), collected.taken())
        except TemplateSyntaxError as error:
            raise _syntax_fault(error, text) from None
        except (RecursionError, MemoryError):
            raise SyntaxFault(TOO_DEEP) from None
        except (AssertionError, SyntaxError, OverflowError, ValueError) as error:
            reason = re.sub(r"\bl_\d+_", "", str(error.args[0] if error.args else ""))  # Jinja's own prefixes of names.
            raise SyntaxFault(in_house_style(f"the template cannot be compiled: {reason}")) from None
        return self.trees[name]

    def _add(self, name: str, text: str, tree: nodes.Template, found: Sequence[NestedFragment]) -> None:
        """Keep a tree, and apart from it those of the fragments that are nested in it."""
        nested = nested_fragments(tree, found)
        self.nested[name] = tuple(
            Nested(each.name, nested_name(name, each.name), int(each.mark.lineno), column_of(each.mark.lineno))
            for each in nested
        )
        self.names_set[name] = names_set(tree)
        self.texts[name] = text
        for inner, place in zip(nested, self.nested[name], strict=True):
            body = nodes.Template(inner.body, lineno=1)
            body.set_environment(self)
            self._add(place.full, text, body, found)
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

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None
    ) -> Template:
        """Return a template by the name that a tag has for it. Nothing of a render is ever kept on it."""
        if not isinstance(name, str):
            return super().get_template(name, parent, globals)
        if name not in self._partials:
            found = self.find(name)
            if found is None:
                raise TemplateNotFound(name, f"there is no template `{name}`")
            self._partials[name] = self.template(found[0])
        return self._partials[name]

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        code = StringIO()
        generator = MeteredGenerator(self, name, filename, code, defer_init, False)
        generator.visit(source)
        self.places[filename or ""] = generator.places
        return code.getvalue()

    def _compiled(self, name: str, tree: nodes.Template) -> Template:
        return Template.from_code(self, self.compile(tree, name, name), self.make_globals(None))


def render_jinja(template: Template, inputs: Mapping[str, object]) -> str:
    """Render a template with its inputs; raises RenderError. An input does not hide a function of the same name."""
    environment = template.environment
    assert isinstance(environment, JinjaEnvironment)
    limits = environment.limits
    try:
        context = new_context(template, {**inputs, **environment.globals}, Meter(limits, _OverLimit))
        text = "".join(template.root_render_func(context))
        if not fits(text, limits.output_bytes):
            raise _OverLimit("the output is larger than the limit")
    except FAULTS as error:
        place = template_place(environment.places, error.__traceback__)
        name, line, column = place or (template.name or "", 1, 1)
        if not isinstance(error, RecursionError):  # It has a frame for every level.
            show_templates(environment.texts)
        raise RenderError(in_house_style(str(error)) or type(error).__name__, file_of(name), line, column) from error
    return text


def _syntax_fault(error: TemplateSyntaxError, text: str) -> SyntaxFault:
    message = error.message or "the template cannot be read"
    at = re.fullmatch(r"(unexpected char .*) at (\d+)", message)
    if at is not None:
        return SyntaxFault(in_house_style(at[1]), *line_and_column(text, int(at[2])))
    unknown = re.fullmatch(r"No (filter|test) named '(.*)'\.", message)
    if unknown is not None:
        message = f"unknown {unknown[1]} `{unknown[2]}`"
    return SyntaxFault(in_house_style(message), int(error.lineno), column_of(error.lineno))
