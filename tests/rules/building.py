"""A small site, and short ways to load it and to read one expression against it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from tessera.rules.assemble import Loaded, assemble
from tessera.rules.conditions import Expr
from tessera.rules.definitions import Definitions
from tessera.rules.diagnostics import Diagnostic, render_text
from tessera.rules.facts import Fact
from tessera.rules.parser import parse
from tessera.rules.ruleset import Ruleset
from tessera.rules.shape import Reader
from tessera.rules.skeleton import MappingNode, compose
from tessera.rules.source import Embedded, Source

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

FACTS = """\
facts:
  visitor.id: {type: string, source: request}
  visitor.known: {type: boolean, source: request}
  visitor.tier: {type: enumeration, one_of: [none, silver, gold, platinum], source: profile}
  visitor.city: {type: string, source: profile}
  visitor.home: {type: string, source: profile}
  visitor.returning: {type: boolean, source: profile, default: false}
  visitor.sessions: {type: integer, source: profile}
  visitor.visits: {type: integer, source: profile}
  visitor.score: {type: decimal, source: profile}
  visitor.lifetime_value: {type: money, unit: EUR, source: profile}
  visitor.credit: {type: money, unit: JPY, source: profile}
  visitor.tags: {type: set, source: profile}
  visitor.favourites: {type: set, one_of: [tents, packs, stoves], source: profile}
  visitor.bought_at: {type: timestamp, source: profile}
  visitor.joined_at: {type: timestamp, source: profile}
  visitor.stay: {type: duration, source: profile}
  visitor.place: {type: location, source: profile}
  visitor.regular: {type: boolean, source: computed, is: visitor.sessions >= 5 and visitor.bought_at within 1 year}
  app.version: {type: version, source: profile}
  geo.country: {type: string, source: request, share: context}
  cart.value: {type: money, unit: EUR, source: cart}
  cart.count: {type: integer, source: cart}
"""

SEGMENTS = """\
segments:
  vip: {source: profile, about: looked after by a person}
  members: {when: 'visitor.tier in ["gold", "platinum"]'}
  lapsed: {when: visitor.bought_at older than 6 months}
  loyal: {when: segment.members and not segment.lapsed}
"""

CONDITIONS = """\
conditions:
  spends_over: {params: {amount: money}, when: cart.value > amount}
  recently: {params: {moment: timestamp, period: duration}, when: moment within period}
  from_country: {params: {country: string}, when: geo.country == country ignoring case}
"""

CTAS = """\
ctas:
  discover: {text: Discover, link: /pages/category}
  shop:
    text: {en: Shop, de: Kaufen}
    link: "/pages/category?category={category}&from={param.campaign}"
    params: {category: {type: string, one_of: [tents, packs]}}
    goal: order_completed
"""

LISTS = """\
lists:
  bestsellers: {kind: popular, count: 8}
  for-you: {kind: personal, count: 8, fallback: bestsellers}
  goes-with: {kind: related, to: param.sku, count: 4}
"""

EXPERIMENTS = """\
experiments:
  copy: {arms: {control: 50, urgency: 50}}
  tone: {arms: {warm: 50, cool: 50}}
  size: {arms: {small: 50, large: 50}, group: {name: look, from: 0, until: 50}}
  hue: {arms: {red: 50, blue: 50}, group: {name: look, from: 50, until: 100}}
  over: {arms: {a: 50, b: 50}, status: stopped}
  spring: {arms: {a: 50, b: 50}, from: 2026-03-01, until: 2026-06-01}
"""

PAGE = """\
page: home
params:
  campaign: {type: enumeration, one_of: [none, winter], default: none}
  sku: string
slots:
  hero: {default: {template: home/hero.liquid, cta: discover}}
"""

SHARED: Mapping[str, str] = {
    "facts.yaml": FACTS,
    "segments.yaml": SEGMENTS,
    "conditions.yaml": CONDITIONS,
    "ctas.yaml": CTAS,
    "lists.yaml": LISTS,
    "experiments.yaml": EXPERIMENTS,
}


def load(files: Mapping[str, str] | None = None) -> Loaded:
    """The small site with some files replaced or added; without any, with one plain page."""
    texts = {**SHARED, **({"home.yaml": PAGE} if files is None else files)}
    return assemble([Source(f"rules/{name}", text) for name, text in texts.items()], [])


def ruleset(files: Mapping[str, str] | None = None) -> Ruleset:
    loaded = load(files)
    assert loaded.ruleset is not None, render_text(loaded.diagnostics, loaded.sources)
    return loaded.ruleset


def complaints(files: Mapping[str, str]) -> str:
    """Everything that is wrong, as authors see it."""
    loaded = load(files)
    return render_text(loaded.diagnostics, loaded.sources)


def page(*rules: str, slot: str = "") -> dict[str, str]:
    """The files of a page whose only slot, `hero`, has these rules, each in YAML's flow style."""
    lines = "".join(f"      - {rule}\n" for rule in rules)
    default = "    default: {template: home/hero.liquid, cta: discover}\n"
    return {"home.yaml": f"page: home\nslots:\n  hero:\n{slot}{default}    rules:\n{lines}"}


def rule(when: str | None = None, name: str = "only", **keys: str) -> str:
    """A rule in flow style; `when` is quoted, other keys are YAML as it is."""
    parts = [f"name: {name}", *([f"when: {json.dumps(when, ensure_ascii=False)}"] if when else [])]
    parts += [f"{key}: {value}" for key, value in keys.items()]
    if "split" not in keys:
        parts.append(f"show: {{template: home/{name}.liquid}}")
    return "{" + ", ".join(parts) + "}"


@cache
def definitions() -> Definitions:
    complaints: list[Diagnostic] = []
    definitions = Definitions(complaints)
    for name, read in (
        ("facts.yaml", definitions.read_facts),
        ("segments.yaml", definitions.read_segments),
        ("conditions.yaml", definitions.read_conditions),
    ):
        source = Source(f"rules/{name}", SHARED[name])
        node = compose(source, complaints)
        assert isinstance(node, MappingNode)
        read(Reader(source, complaints), node.entries[0][1])
    definitions.resolve()
    assert not complaints, complaints
    return definitions


def facts() -> Mapping[str, Fact]:
    """The facts of the small site."""
    return definitions().facts


def computed() -> Mapping[str, Expr]:
    """The conditions behind its computed facts and segments."""
    return definitions().computed


def condition(text: str) -> Expr:
    """An expression, checked against the small site."""
    complaints: list[Diagnostic] = []
    tree = parse(Embedded(text, "when", 1, range(1, len(text) + 2)), complaints)
    assert tree is not None, complaints
    found = definitions()
    found.complaints.clear()
    expr = found.condition(tree, {})
    assert expr is not None, found.complaints
    return expr
