"""Small sites, written to a folder and loaded for real."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import load_site
from tessera.renderer.site import Site

FACTS = """
    facts:
      visitor.id: {type: string, source: request}
      visitor.known: {type: boolean, source: request}
      visitor.first_name: {type: string, source: profile}
      visitor.secret: {type: string, source: profile}
      visitor.unread: {type: string, source: profile}
      visitor.tier: {type: enumeration, one_of: [none, silver, gold], source: profile}
      device.type: {type: enumeration, one_of: [mobile, tablet, desktop], source: request}
      geo.country: {type: string, source: request, share: context}
      locale: {type: enumeration, one_of: [en, de], source: request}
      consent.personalization: {type: enumeration, one_of: [granted, denied, unknown], source: request}
      cart.value: {type: money, unit: EUR, source: cart}
      cart.skus: {type: set, source: cart}
    item:
      sku: {type: string}
      title: {type: string}
      price: {type: money, unit: EUR}
"""
LISTS = """
    lists:
      popular: {kind: popular, count: 3}
      mine: {kind: personal, count: 3, fallback: popular}
"""
CTAS = """
    ctas:
      look: {text: {en: Look, de: Schau}, link: "/pages/home?from={geo.country}", goal: visit}
      plain: {text: Go, link: /pages/home}
"""
EXPERIMENTS = """
    experiments:
      colours: {unit: visitor.id, version: 1, arms: {red: 50, blue: 50}}
"""
SHARED = {"facts.yaml": FACTS, "lists.yaml": LISTS, "ctas.yaml": CTAS, "experiments.yaml": EXPERIMENTS}
LOCALES = ("en", "de")

GOLD_PAGE = {
    "home.yaml": """
    page: home
    slots:
      hero:
        default: {template: hello.liquid}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: gold.liquid}
"""
}
GOLD_TEMPLATES = {"hello.liquid": "Hello", "gold.liquid": "Gold {{ visitor.first_name }}"}
"""A page that tells by a profile's trait whom it knows, and shows another."""


def write_site(folder: Path, rules: Mapping[str, str], templates: Mapping[str, str]) -> Path:
    """Write rule files (over the shared ones) and templates; texts are dedented."""
    for part, files in (("rules", {**SHARED, **rules}), ("templates", templates)):
        for name, text in files.items():
            file = folder / part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def load(folder: Path) -> Site:
    """Load a site that must be right."""
    loaded = load_site(folder, LOCALES, Limits())
    assert loaded.site is not None, loaded.diagnostics
    return loaded.site
