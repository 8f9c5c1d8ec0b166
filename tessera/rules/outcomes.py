"""What a slot shows: outcomes, as defaults, rules, arms and layouts write them."""

import re
from collections.abc import Mapping

from tessera.rules.declare import read_value
from tessera.rules.diagnostics import did_you_mean
from tessera.rules.facts import PARAMETER, TYPES, Fact, Value
from tessera.rules.offers import Offers
from tessera.rules.ruleset import Cta, CtaUse, Outcome
from tessera.rules.shape import NAME, Fields, Reader
from tessera.rules.skeleton import MappingNode, Node, Scalar
from tessera.rules.source import Span

NOTHING = "nothing"
PARTS = ("cta", "items", "item")

_TEMPLATE = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*")


class Outcomes:
    """Reads the outcomes of one page, whose parameters are `params`, by short name."""

    key = "template"
    """The key that says which template."""

    def __init__(self, reader: Reader, offers: Offers, params: Mapping[str, Fact]) -> None:
        self._reader = reader
        self._offers = offers
        self._params = params

    def read(self, node: Node, owner: Span, default: Outcome | None) -> Outcome | None:
        """`{template, cta, items, item}` or `nothing`; what it does not say is that of `default`."""
        if isinstance(node, Scalar) and node.value == NOTHING:
            return Outcome(None, None, None, None, node.span)
        fields = self._reader.fields(node, "an outcome", (self.key, *PARTS), owner)
        return None if fields is None else self.of(fields, default)

    def of(self, fields: Fields, default: Outcome | None) -> Outcome | None:
        """The outcome among the keys of a mapping that may have others too."""
        if self.key in fields:
            template = fields.value(self.key, self.template)
        else:
            template = default.template if default else None
            if template is None:
                fields.require(self.key)
        if template is None:
            return None
        cta, items, item = self._cta(fields), fields.scalar("items"), fields.scalar("item")
        if items is not None:
            self._check_items(items)
        if item is not None:
            self._offers.fact(item.value, item.span, ("string", "enumeration"), self._params)
        return Outcome(
            template=template,
            cta=cta or (default.cta if default else None),
            items=items.value if items else default.items if default else None,
            item=item.value if item else default.item if default else None,
            span=fields.span,
        )

    def template(self, text: str) -> str:
        """The template's path; raises ValueError."""
        if _TEMPLATE.fullmatch(text) is None:
            raise ValueError(f"`{text}` is no path of a template, such as `home/hero.liquid`")
        return text

    def _cta(self, fields: Fields) -> CtaUse | None:
        node = fields.nodes.get("cta")
        if node is None:
            return None
        arguments: dict[str, tuple[Scalar, Node]] = {}
        if isinstance(node, MappingNode):
            arguments = {key.value: (key, value) for key, value in node.entries}
            if "use" not in arguments:
                self._reader.complain("R011", "a CTA lacks `use`", node.span)
                return None
            _, node = arguments.pop("use")
        name = self._reader.scalar(node, "`cta`")
        cta = name and self._offers.named("CTA", name, self._offers.ctas)
        if not cta or not name:
            return None
        for read in cta.link.names:
            if read.startswith(PARAMETER):
                self._offers.fact(read, name.span, TYPES, self._params)
        return CtaUse(cta.name, self._arguments(cta, arguments, name.span))

    def _arguments(
        self, cta: Cta, given: Mapping[str, tuple[Scalar, Node]], span: Span
    ) -> tuple[tuple[str, Value], ...]:
        for name in given.keys() - cta.params.keys():
            close = did_you_mean(name, cta.params)
            self._reader.complain(
                "R108", f"CTA `{cta.name}` has no parameter `{name}`", given[name][0].span, help=close
            )
        values = []
        for name, param in cta.params.items():
            value = read_value(self._reader, param, given[name][1]) if name in given else param.default
            if value is not None:
                values.append((name, value))
            elif name not in given:
                self._reader.complain("R011", f"CTA `{cta.name}` lacks its parameter `{name}`", span)
        return tuple(values)

    def _check_items(self, name: Scalar) -> None:
        found = self._offers.named("list", name, self._offers.lists)
        for read in found.reads if found else ():
            if read.startswith(PARAMETER):
                self._offers.fact(read, name.span, TYPES, self._params)


class LayoutOutcomes(Outcomes):
    """Reads the outcomes of a page's layouts, whose template is named by `use`."""

    key = "use"

    def __init__(self, reader: Reader, offers: Offers, params: Mapping[str, Fact], page: str) -> None:
        super().__init__(reader, offers, params)
        self._page = page

    def template(self, text: str) -> str:
        if NAME.fullmatch(text) is None:
            raise ValueError(f"`{text}` is no name of a layout")
        return f"{self._page}/layouts/{text}"
