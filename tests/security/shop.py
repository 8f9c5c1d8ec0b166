"""The shop that is attacked: slots of every scope in both languages, and two visitors with something to lose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tessera.renderer.core.ports import Profile
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {q: {type: string}, n: {type: integer}}
    layouts:
      - use: front
    slots:
      same: {default: {template: same.liquid}}
      echo: {default: {template: echo.liquid}}
      rail: {default: {template: rail.jinja, items: popular}}
      link: {default: {template: link.jinja, cta: search}}
      name: {default: {template: name.liquid}}
      large: {default: {template: large.liquid}}
      split:
        default: {template: same.liquid}
        rules:
          - name: Coloured
            split: {experiment: colours, arms: {red: {template: red.liquid}, blue: {template: blue.liquid}}}
      tier:
        default: {template: same.liquid}
        rules:
          - {name: Gold, when: visitor.tier == "gold", show: {template: gold.liquid}}
"""
CTAS = """
    ctas:
      search: {text: Find, link: "/find?q={geo.country}"}
"""
TEMPLATES = {
    "same.liquid": "<b>same</b>",
    "large.liquid": "{% for each in (1..4000) %}<i>" + "0123456789" * 8 + "</i>{% endfor %}",
    "gold.liquid": "<b>gold</b>",
    "red.liquid": "<b>red</b>",
    "blue.liquid": "<b>blue</b>",
    "echo.liquid": "<i>{{ param.q }} {{ param.n }}</i>",
    "rail.jinja": '{% for item in items %}<a title="{{ item.title }}">{{ item.title }}</a>{% endfor %}',
    "link.jinja": '<a href="{{ cta.url }}">{{ cta.text }}</a>',
    "name.liquid": "<p>{{ visitor.first_name }} {{ visitor.secret }}</p>",
    "home/layouts/front.liquid": "<!doctype html><title>Home</title>{{ slots.same }}{{ slots.name }}",
}
SECRETS = {"ann": "known-to-ann-alone", "bob": "known-to-bob-alone"}


def shop(folder: Path) -> Path:
    """Write the shop's site."""
    return write_site(folder, {"home.yaml": PAGE, "ctas.yaml": CTAS}, TEMPLATES)


def world() -> World:
    """What is upstream."""
    profiles = {
        name: Profile({"first_name": name, "secret": secret, "tier": "gold" if name == "ann" else "none"}, frozenset())
        for name, secret in SECRETS.items()
    }
    return World(profiles=profiles, lists={"popular": ["A"]}, catalogue={"A": item("A")})


@asynccontextmanager
async def attacked(folder: Path, **http: object) -> AsyncIterator[Client]:
    """Serve the shop in this process. ``http`` are settings of that table."""
    async with client_of(shop(folder), world(), settings=settings_for_tests(http=http)) as client:
        yield client
