"""All templates of a site, read from a folder, checked and ready to render.

Whatever a file holds, loading ends soon and raises nothing: every fault becomes a diagnostic, all of them at once. A
template that has a fault, or takes in one that has, is left out of the catalogue.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from tessera.renderer.core.assets import Asset
from tessera.renderer.core.paths import Path as InputPath
from tessera.renderer.core.policy import Policy, all_of, policy_of_assets
from tessera.renderer.core.quotients import Tests
from tessera.renderer.engines.base import Abort, Limits, Reference, SyntaxFault, Template
from tessera.renderer.engines.contracts import broken_contract
from tessera.renderer.engines.fragments import NESTED, Nested, file_of
from tessera.renderer.engines.jinja.demands import jinja_demands
from tessera.renderer.engines.jinja.environment import JinjaEnvironment, render_jinja
from tessera.renderer.engines.jinja.messages import jinja_messages
from tessera.renderer.engines.jinja.tree import jinja_references
from tessera.renderer.engines.liquid.compiler.rendering import CompiledTemplate
from tessera.renderer.engines.liquid.compiler.units import Units
from tessera.renderer.engines.liquid.demands import liquid_demands
from tessera.renderer.engines.liquid.environment import LiquidEnvironment
from tessera.renderer.engines.liquid.messages import liquid_messages
from tessera.renderer.engines.liquid.tree import liquid_references
from tessera.renderer.engines.messages import MessageUse, misused
from tessera.renderer.engines.references import Graph, Resolver
from tessera.renderer.engines.scripts import CODE_SUFFIXES, policy_of
from tessera.renderer.engines.stated_assets import stated_assets, wrong_assets
from tessera.renderer.engines.template_files import read_files
from tessera.renderer.engines.translations import NO_TRANSLATIONS, Translations
from tessera.rules.diagnostics import Diagnostic, in_order
from tessera.rules.source import Source, Span

LIQUID, JINJA = ".liquid", ".jinja"
SUFFIXES = (LIQUID, JINJA)
LIBRARIES = ("tessera", "python-liquid", "jinja2", "markupsafe", "babel")

_TRANSLATES = re.compile(r"\b(?:t|map)\b")
"""What stands in every template that may apply `t`: its name, or what applies a filter that is named elsewhere."""

CODES: Mapping[str, str] = {
    "T101": "A template file is not text in UTF-8.",
    "T102": "A template file is larger than the limit.",
    "T103": "A template breaks its language, or asks for something that is not offered here.",
    "T104": "A template takes in one that is not there.",
    "T105": "A template takes itself in, perhaps by way of others.",
    "T106": "Templates take one another in too deeply.",
    "T107": "A template takes in one in the other language.",
    "T108": "A file is of no kind that templates can use, so it is ignored.",
    "T109": "A Liquid template that is taken in with `render` takes in another with `include`.",
    "T110": "A catalogue of translations cannot be read.",
    "T111": "A translation has places for other values than its message.",
    "T112": "`t` is handed less than its message needs.",
    "T113": "Messages of templates have no translation in a locale of the site.",
    "T114": "A template reads something that its contract, `reads:`, does not name.",
    "T115": "A contract, `reads:`, names something that the template does not read.",
    "T116": "A template that others take in has a nested fragment.",
    "T117": "A nested fragment reads a name that the template around it sets.",
    "T118": "A template states an asset, `assets:`, that is no address of a style sheet, script, font or image.",
}


@dataclass(frozen=True, slots=True)
class LoadedTemplate:
    """A template of either language; implements `base.Template`."""

    name: str
    version: str
    demands: frozenset[InputPath]
    tests: Tests
    reads: tuple[tuple[InputPath, Span], ...]
    widened: tuple[Span, ...]
    takes_in: frozenset[str]
    nested: "tuple[tuple[str, LoadedTemplate], ...]"
    assets: tuple[Asset, ...]
    policy: Policy
    _render: Callable[[Mapping[str, object]], str] = field(repr=False)

    def render(self, inputs: Mapping[str, object]) -> str:
        """Return the fragment; see `base.Template`."""
        try:
            return self._render(inputs)
        except Abort as abort:
            if abort.fallback:
                raise
            return ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Templates by their path below the folder of templates, with the suffix, and the messages that they ask for."""

    templates: Mapping[str, Template]
    messages: tuple[MessageUse, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """What loading gave: the templates without fault, every complaint, and the files that complaints are about."""

    catalog: Catalog
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


def load_catalog(
    folder: Path,
    limits: Limits,
    translations: Translations = NO_TRANSLATIONS,
    refused: Mapping[str, Diagnostic] = MappingProxyType({}),
    at: Callable[[str], None] = lambda _name: None,
) -> LoadedCatalog:
    """Read, check and prepare every template below a folder, whose own name begins all paths in diagnostics.

    Templates that were refused before are not touched, and what they were refused for is complained about. ``at`` is
    called with the name of each template before work on it begins.
    """
    files = read_files(folder, limits, SUFFIXES)
    loader = _Loader(folder.name + "/", files.texts, limits, translations, at)
    diagnostics = [*files.diagnostics, *loader.parse(refused), *misused(loader.messages)]
    graph = Graph(loader.references, loader.resolvers)
    diagnostics += graph.complaints(limits.include_depth)
    templates = {name: loader.template(name, graph) for name in graph.sound() if name in files.texts}
    for name, template in list(templates.items()):
        foreign = list(loader.foreign(template, frozenset()))
        diagnostics += foreign
        if foreign:
            del templates[name]
    for name, template in templates.items():
        diagnostics += broken_contract(loader.root + name, files.texts[name], reads_of(template))
    sources = {loader.root + name: Source(loader.root + name, text) for name, text in files.texts.items()}
    return LoadedCatalog(Catalog(templates, tuple(loader.messages)), tuple(in_order(diagnostics)), sources)


class _Loader:
    """The templates of one load, in both languages."""

    def __init__(
        self,
        root: str,
        texts: Mapping[str, str],
        limits: Limits,
        translations: Translations,
        at: Callable[[str], None],
    ) -> None:
        self.root = root
        self._at = at
        self.references: dict[str, tuple[Reference, ...]] = {}
        self.messages: list[MessageUse] = []
        self._texts = texts
        self._translations = translations
        self._read_from = dict(texts)
        plain = [name for name in texts if not name.endswith(SUFFIXES)]
        self.resolvers = {
            suffix: Resolver(suffix, frozenset([*plain, *(name for name in texts if name.endswith(suffix))]))
            for suffix in SUFFIXES
        }
        self._liquid = LiquidEnvironment(limits, self.resolvers[LIQUID], translations)
        self._jinja = JinjaEnvironment(limits, self.resolvers[JINJA], translations)
        self._compiled: Units | None = None
        self._policies: dict[str, Policy] = {}

    def parse(self, refused: Mapping[str, Diagnostic]) -> Iterator[Diagnostic]:
        """Parse every file that is not refused and note what it takes in; yield what is wrong with the files."""
        yield from refused.values()
        for name, text in self._texts.items():
            if name in refused:
                continue
            self._at(name)
            file = self.root + name
            try:
                if name.endswith(LIQUID):
                    self._liquid.add(name, text)
                    self._refer(name, text)
                elif name.endswith(JINJA):
                    self._jinja.add(name, text)
                    self._refer(name, text)
                else:
                    self._liquid.add_plain(name, text)
                    self._jinja.add_plain(name, text)
                    self.references[name] = ()
            except SyntaxFault as fault:
                span = Span(file, fault.line, fault.column, fault.column + fault.width)
                yield Diagnostic("T103", "error", fault.message, span)
            else:
                yield from wrong_assets(file, text)

    def _units(self) -> Units:
        """Return what compiles Liquid, once all templates are parsed."""
        self._compiled = self._compiled or Units(self._liquid)
        return self._compiled

    def _refer(self, name: str, text: str) -> None:
        """Note what a parsed template takes in, and what the fragments nested in it do; and what it translates."""
        file = self.root + file_of(name)
        if name.endswith(JINJA):
            found = jinja_references(self._jinja.trees[name], file)
            self.messages += jinja_messages(self._jinja.trees[name], file)
        else:
            found = liquid_references(self._liquid.trees[name], file)
            self.messages += liquid_messages(self._liquid.trees[name], file)
        self._read_from[name] = text
        nested = self._environment(name).nested[name]
        self.references[name] = (*found, *(_to_nested(each, file) for each in nested))
        for each in nested:
            self._refer(each.full, text)

    def _environment(self, name: str) -> LiquidEnvironment | JinjaEnvironment:
        return self._jinja if name.endswith(JINJA) else self._liquid

    def foreign(self, template: LoadedTemplate, names: frozenset[str]) -> Iterator[Diagnostic]:
        """Yield a complaint for each read of one of these names, or in a nested fragment of one set around that."""
        for path, span in template.reads:
            if path and path[0] in names:
                message = f"`{path[0]}` is set outside this fragment, which sees only the inputs"
                yield Diagnostic("T117", "error", message, span, help="set it within the fragment as well")
        if template.nested:
            around = names | self._environment(template.name).names_set[template.name]
            for _, nested in template.nested:
                yield from self.foreign(nested, around)

    def template(self, name: str, graph: Graph) -> LoadedTemplate:
        """Return a template that has no fault, ready to render, with those nested in it."""
        self._at(file_of(name))
        if name.endswith(JINJA):
            demands = jinja_demands(name, self._jinja.find, self.root)
            render = partial(render_jinja, self._jinja.template(name))
        else:
            tree = self._liquid.trees[name]
            demands = liquid_demands(tree, self._liquid.find, self.root)
            render = partial(CompiledTemplate.render, CompiledTemplate(self._units(), name))
        closure = graph.closure(name)
        taken_in = [(other, self._read_from[other]) for other in sorted(closure)]
        translated = self._translations.digest if any(_TRANSLATES.search(text) for _, text in taken_in) else ""
        digest = sha256(repr((name, _libraries(), taken_in, translated)).encode("utf-8", "surrogatepass")).hexdigest()
        takes_in = frozenset(closure - {name})
        places = self._environment(name).nested.get(name, ())
        nested = tuple((each.name, self.template(each.full, graph)) for each in places)
        stated = (stated_assets(other, text) for other, text in taken_in)
        assets = tuple(dict.fromkeys(asset for each in stated for asset in each))
        read = demands.paths, demands.tests, demands.reads, demands.widened
        policy = all_of([policy_of_assets(assets), *(self._policy(file_of(other)) for other in sorted(closure))])
        return LoadedTemplate(name, digest, *read, takes_in, nested, assets, policy, render)

    def _policy(self, file: str) -> Policy:
        """Return what allows the scripts and style sheets of one file, read once."""
        if file not in self._policies:
            resolve = self.resolvers[JINJA if file.endswith(JINJA) else LIQUID]

            def code(name: str) -> str | None:
                found = resolve(name)
                return self._texts[found] if found is not None and found.endswith(CODE_SUFFIXES) else None

            is_code = file.endswith(CODE_SUFFIXES)
            self._policies[file] = Policy() if is_code else policy_of(self.root + file, self._texts[file], code)
        return self._policies[file]


def reads_of(template: LoadedTemplate) -> tuple[tuple[InputPath, Span], ...]:
    """Return what a template reads, the fragments nested in it included."""
    return (*template.reads, *(each for _, nested in template.nested for each in reads_of(nested)))


def _to_nested(nested: Nested, file: str) -> Reference:
    width = len(NESTED)
    return Reference(NESTED, nested.full, Span(file, nested.line, nested.column, nested.column + width))


@lru_cache(maxsize=1)
def _libraries() -> tuple[str, ...]:
    """Return the versions of everything whose code turns a template into a fragment."""
    return tuple(f"{name} {version(name)}" for name in LIBRARIES)
