"""The demo site: its rules and templates load without a complaint, agree with its seed, and stand odd data."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest

from tessera import demo
from tessera.demo import seed
from tessera.renderer.core.inputs import Gathered, InputsPlan
from tessera.renderer.core.quotients import Tests
from tessera.renderer.engines.base import Limits, Template
from tessera.renderer.loader import load_site
from tessera.renderer.personas import Persona, load_personas
from tessera.renderer.settings import load_settings
from tessera.renderer.site import Site
from tessera.rules.cases import run_cases
from tessera.rules.evaluate import Decision
from tessera.rules.facts import Value, coerce

FOLDER = Path(demo.__file__).parent
TEMPLATES = FOLDER / "templates"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
"""A Tuesday morning, in the weeks in which members see the winter range early."""

MARKUP = '<b onclick="x()">\'&"</b>'


@pytest.fixture(scope="module")
def site() -> Site:
    loaded = load_site(FOLDER, ("en", "de"), Limits())
    assert loaded.text() == ""
    assert loaded.site is not None
    return loaded.site


@pytest.fixture(scope="module")
def world() -> seed.World:
    return seed.world(NOW)


@pytest.fixture(scope="module")
def personas() -> Mapping[str, Persona]:
    return load_personas(FOLDER)


def facts_of(site: Site, world: seed.World, persona: Persona) -> dict[str, Value]:
    """What would be known of a persona, as the sources would tell it."""
    profile = next((each for each in world.visitors if each.id == persona.visitor), None)
    known = profile is not None and persona.consent == "granted"
    raw: dict[str, object] = {
        "visitor.known": known,
        "consent.personalization": persona.consent,
        "device.type": persona.device,
        "geo.country": persona.country,
        "locale": persona.locale,
        "visitor.returning": False,
    }
    if profile is not None and known:
        raw |= {f"visitor.{name}": value for name, value in profile.traits.items()}
        raw["visitor.id"] = profile.id
        raw |= {f"segment.{name}": name in profile.segments for name in ("vip", "deal_seekers")}
        lines = dict(world.carts).get(profile.id, ())
        price = {item["sku"]: item["price"]["amount"] for item in world.items}
        cents = sum(price[line["sku"]] * line["quantity"] for line in lines)
        raw["cart.value"] = {"amount": cents, "currency": "EUR"}
        raw["cart.count"] = sum(line["quantity"] for line in lines)
    declared = {**site.ruleset.facts, **{s.fact.name: s.fact for s in site.ruleset.segments.values()}}
    return {name: coerce(declared[name], value) for name, value in raw.items() if value is not None}


def decide(site: Site, facts: Mapping[str, Value], page: str, slot: str) -> Decision:
    plan = site.pages[page].slots[slot]
    return plan.matcher.decide({**plan.base_facts, **facts}, NOW, None)


def shown_by(decision: Decision) -> tuple[str | None, str | None]:
    return decision.outcome.template, decision.outcome.cta.name if decision.outcome.cta else None


def test_every_authored_test_passes(site: Site) -> None:
    results = run_cases(site.ruleset)
    assert len(results) >= 15
    assert [(result.case.name, result.differences) for result in results if not result.passed] == []


def test_at_least_sixteen_templates_half_in_each_language() -> None:
    slots = [path for path in TEMPLATES.rglob("*.*") if "partials" not in path.parts and path.name[0] != "_"]
    liquid, jinja = (sum(path.suffix == suffix for path in slots) for suffix in (".liquid", ".jinja"))
    assert liquid + jinja == len(slots) >= 16
    assert abs(liquid - jinja) <= 3


def test_no_template_asks_for_a_whole_object(site: Site) -> None:
    assert {name: each.widened for name, each in site.catalog.templates.items() if each.widened} == {}
    whole = {("items",), ("items", "[]"), ("item",), ("visitor",), ("cta",), ("cart",), ()}
    assert {name: whole & each.demands for name, each in site.catalog.templates.items() if whole & each.demands} == {}


def test_home_and_product_have_two_layouts_each(site: Site) -> None:
    layouts = {name: page.layouts for name, page in site.ruleset.pages.items()}
    assert {name: len(slot.outcomes) for name, slot in layouts.items() if slot} == {
        "home": 2,
        "product": 2,
        "category": 1,
        "cart": 1,
    }


def test_every_call_to_action_speaks_both_locales(site: Site) -> None:
    wordings = [wording for cta in site.ruleset.ctas.values() for wording in (cta.text, cta.message) if wording]
    assert [wording for wording in wordings if set(dict(wording.by_locale)) != {"en", "de"}] == []


def test_items_fit_the_declared_fields(site: Site, world: seed.World) -> None:
    fields = site.ruleset.item_fields
    for item in world.items:
        assert set(item) == set(fields)
        for name, value in item.items():
            if value is not None:
                coerce(fields[name], value)


def test_traits_fit_the_declared_facts(site: Site, world: seed.World) -> None:
    traits = {fact.trait: fact for fact in site.ruleset.facts.values() if fact.source == "profile"}
    for visitor in world.visitors:
        assert set(visitor.traits) <= set(traits)
        for name, value in visitor.traits.items():
            coerce(traits[name], value)


def test_every_item_has_a_picture_of_its_own_kind(site: Site) -> None:
    pictures = {path.stem for path in (TEMPLATES / "partials/art").iterdir()}
    assert set(site.ruleset.item_fields["art"].one_of or ()) == pictures
    for partial in ("art.jinja", "art.liquid"):
        named = set(re.findall(r"partials/art/(\w+)\.svg", (TEMPLATES / "partials" / partial).read_text("utf-8")))
        assert named == pictures


def test_the_settings_are_those_of_the_shop() -> None:
    settings = load_settings(FOLDER, server={"mode": "development"})
    assert settings.site.model_dump() == {
        "name": "Tarnfell",
        "locales": ("en", "de"),
        "zone": "Europe/Berlin",
        "currency": "EUR",
    }


def test_personas_are_visitors_with_a_story(personas: Mapping[str, Persona], world: seed.World) -> None:
    named = {persona.visitor for persona in personas.values()} - {None}
    assert named == {persona[0] for persona in seed.PERSONAS}
    assert named <= {visitor.id for visitor in world.visitors}
    assert [persona.name for persona in personas.values() if persona.visitor is None] == ["first-time"]
    assert [persona.name for persona in personas.values() if persona.consent == "denied"] == ["noor"]


def test_personas_see_different_heroes(site: Site, world: seed.World, personas: Mapping[str, Persona]) -> None:
    heroes = {
        name: decide(site, facts_of(site, world, persona), "home", "hero").rule for name, persona in personas.items()
    }
    assert heroes == {
        "first-time": None,
        "jonas": "Returning mobile visitors in Germany",
        "maren": "Members with a full cart see the winter range early",
        "edda": "Customers who stayed away are welcomed back",
        "tomas": None,
        "noor": None,
    }


def test_personas_see_different_banners(site: Site, world: seed.World, personas: Mapping[str, Persona]) -> None:
    banners = {
        name: shown_by(decide(site, facts_of(site, world, persona), "home", "banner"))
        for name, persona in personas.items()
    }
    assert banners == {
        "first-time": ("home/banner.liquid", None),
        "jonas": ("shared/notice.jinja", "gear-desk"),
        "maren": ("home/banner.liquid", None),
        "edda": ("shared/notice.jinja", "gear-desk"),
        "tomas": ("shared/notice.jinja", "care"),
        "noor": ("shared/notice.jinja", "no-tracking"),
    }


def test_the_cart_nudges_by_its_value(site: Site, world: seed.World, personas: Mapping[str, Persona]) -> None:
    nudges = {
        name: shown_by(decide(site, facts_of(site, world, persona), "cart", "nudge"))[0]
        for name, persona in personas.items()
    }
    assert nudges == {
        "first-time": None,
        "jonas": "cart/nudge.jinja",
        "maren": "cart/nudge-free.jinja",
        "edda": None,
        "tomas": "cart/nudge.jinja",
        "noor": None,
    }


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"locale": "de", "items": [], "cta": {}, "cart": {"count": None, "value": None}, "visitor": {"tier": None}},
        {"locale": "en", "items": [{"sku": None, "price": None}], "item": {"sku": None}, "param": {"category": None}},
    ],
)
def test_every_template_stands_missing_data(site: Site, inputs: dict[str, object]) -> None:
    for template in site.catalog.templates.values():
        template.render(inputs)


def test_markup_in_data_arrives_escaped(site: Site) -> None:
    price = {"amount": 4200, "currency": "EUR"}
    item: dict[str, object] = dict.fromkeys(site.ruleset.item_fields, MARKUP)
    item |= {"price": price, "was_price": price, "in_stock": True}
    words = ("id", "text", "message", "url", "goal")
    inputs: dict[str, object] = {
        "locale": "en",
        "visitor": {"first_name": MARKUP, "tier": MARKUP, "points": 3},
        "param": {"sku": MARKUP, "category": MARKUP, "campaign": MARKUP},
        "cart": {"count": 1, "value": price},
        "cta": dict.fromkeys(words, MARKUP),
        "items": [item],
        "item": item,
        "personas": [dict.fromkeys(("name", "title", "about", "device", "country"), MARKUP)],
    }
    showing = 0
    for name, template in site.catalog.templates.items():
        if not name.startswith("partials/"):
            fragment = template.render(inputs)
            showing += "onclick" in fragment
            assert "<b onclick" not in fragment, name
            assert 'onclick="' not in fragment, name
    assert showing > 15


def test_the_scripts_are_small_and_end_every_layout() -> None:
    assert len((TEMPLATES / "partials/exposures.js").read_bytes()) <= 450
    assert len((TEMPLATES / "partials/events.js").read_bytes()) <= 550
    layouts = list(TEMPLATES.glob("*/layouts/*"))
    assert len(layouts) == 6
    for layout in layouts:
        ending = (
            r'<script>{% \w+ "partials/exposures.js" %};{% \w+ "partials/events.js" %}</script>\s</body>\s</html>\s$'
        )
        assert re.search(ending, layout.read_text(encoding="utf-8")), layout


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in TEMPLATES.rglob("*.*"):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|src=|@import|url\((?!#)", text), path


def test_visitors_share_more_where_templates_only_ask(site: Site, world: seed.World) -> None:
    """Two thousand visitors, each template: keys by what it asks, and by whole values."""
    people = [
        Gathered(facts_of(site, world, Persona(name=each.id, title="", visitor=each.id, country="DE", locale=locale)))
        for each, locale in zip(world.visitors[:2000], cycle(("en", "de")), strict=False)
    ]
    parameters = {fact.name: fact for page in site.pages.values() for fact in page.parameters.values()}
    facts = {**site.ruleset.facts, **parameters}

    def keys(template: Template, tests: Tests) -> int:
        plan = InputsPlan("", template.demands, facts, site.ruleset.item_fields, tests)
        return len({plan.key(gathered) for gathered in people})

    counts = {name: (keys(each, each.tests), keys(each, {})) for name, each in site.catalog.templates.items()}
    assert [name for name, (asked, whole) in counts.items() if asked > whole] == []
    asked, whole = counts["home/hero-early.jinja"]  # asks whether a tier is gold or platinum, and greets by name
    assert asked < 0.75 * whole
