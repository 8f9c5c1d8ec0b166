"""Looking up what a name means, and complaining of names that mean nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tessera.rules.diagnostics import Diagnostic, did_you_mean
from tessera.rules.facts import PARAMETER, SEGMENT, Fact
from tessera.rules.source import Span
from tessera.rules.syntax import Tree

Noun = Literal["segment", "condition", "parameter", "fact", "CTA", "list", "experiment"]

_CODES: Mapping[Noun, str] = {
    "segment": "R101",
    "condition": "R102",
    "parameter": "R103",
    "fact": "R104",
    "CTA": "R105",
    "list": "R106",
    "experiment": "R107",
}


@dataclass(frozen=True, slots=True)
class Macro:
    """A reusable condition: its parameters in order, and its body before checking."""

    name: str
    params: Mapping[str, Fact]
    tree: Tree
    span: Span


class Broken(Exception):
    """What cannot be used, because it is wrong itself; the complaint about that is made already."""


class Unknown(Exception):
    """A name that means nothing here."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Scope(Protocol):
    """What all pages share. Raises Broken for what is declared, but wrongly."""

    def fact(self, name: str) -> Fact | None:
        """The fact or segment of that full name, parameters of pages apart; None when there is none."""

    def macro(self, name: str) -> Macro | None:
        """The reusable condition of that name; None when there is none."""

    def known(self, noun: Noun) -> Iterable[str]:
        """Every fact, segment or condition, as expressions name them."""

    def declared_in(self, noun: Noun) -> str:
        """The file in which a fact, segment or condition would be declared."""


def unknown(noun: Noun, name: str, span: Span, known: Iterable[str], label: str = "", advice: str = "") -> Diagnostic:
    """The complaint about a name; `advice` is its help when no known name is close."""
    close = did_you_mean(name, known) or advice
    return Diagnostic(_CODES[noun], "error", f"unknown {noun} `{name}`", span, label, close)


def look_up(name: str, span: Span, scope: Scope, params: Mapping[str, Fact] | None, advice: str = "") -> Fact:
    """The fact, segment or parameter of that name, on a page with `params` by short name, None outside of pages.

    Raises Unknown and Broken.
    """
    if name.startswith(PARAMETER):
        return _parameter(name, span, params)
    fact = scope.fact(name)
    if fact is None:
        noun: Noun = "segment" if name.startswith(SEGMENT) else "fact"
        label = f"not declared in {scope.declared_in(noun)}"
        raise Unknown(unknown(noun, name, span, scope.known(noun), label, advice))
    return fact


def _parameter(name: str, span: Span, params: Mapping[str, Fact] | None) -> Fact:
    if params is None:
        message = f"`{name}` belongs to one page, and this is shared by all"
        raise Unknown(Diagnostic("R103", "error", message, span))
    found = params.get(name.removeprefix(PARAMETER))
    if found is None:
        label = "not declared in `params` of this page"
        raise Unknown(unknown("parameter", name, span, [PARAMETER + each for each in params], label))
    return found
