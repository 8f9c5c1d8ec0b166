"""The short way, which warm answers go, ends where the long way does, and is gone whenever it can be."""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import Profile
from tessera.renderer.pipeline import Pipeline
from tests.renderer.test_transparency import sites
from tests.support.client import NOW, Client, client_of
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {q: {type: string}, sku: {type: string}}
    slots:
      plain: {default: {template: plain.liquid}}
      clock: {default: {template: clock.jinja}}
      list: {default: {template: list.liquid, items: mine}}
      item: {default: {template: item.liquid, item: param.sku}}
      nested: {default: {template: nested.liquid}}
      tier:
        default: {template: tier.liquid, cta: plain}
        rules:
          - {name: Sale, during: {from: 2026-11-23, until: 2026-11-23T10:01, zone: UTC}, when: visitor.known,
             show: {template: tier.liquid, cta: look}}
          - {name: Gold, when: visitor.tier == "gold" and param.q is unknown, show: {template: name.jinja, cta: look}}
          - {name: Short, when: visitor.first_name == "<b>", show: {template: back.liquid}}
      split:
        default: {template: plain.liquid}
        rules:
          - name: Colours
            when: visitor.known
            split:
              experiment: colours
              arms: {red: {template: tier.liquid, cta: plain}, blue: {template: name.jinja, cta: look}}
      cart:
        default: {template: plain.liquid}
        rules: [{name: Full, when: cart.value > 10.00, show: {template: tier.liquid, cta: plain}}]
"""
TEMPLATES = {
    "plain.liquid": "plain",
    "clock.jinja": "{{ now.hour | date('full') }}",
    "list.liquid": "{% for item in items %}{{ item.title }};{% endfor %}",
    "item.liquid": "{{ item.title }}",
    "nested.liquid": "a{% fragment %}{{ visitor.first_name }}{% endfragment %}b",
    "tier.liquid": "{{ visitor.tier }} {{ cta.text }} {{ cta.url }}",
    "name.jinja": "{{ visitor.first_name }} {{ cta.text }} {{ experiment.arm }}",
    "back.liquid": "{% abort 'fallback' %}",
}
SLOTS = ("plain", "clock", "list", "item", "nested", "tier", "split", "cart")
LONG = {"x_tessera_cart": "no cart that the shop has signed"}
"""A header that changes nothing but the way that is gone."""

Request = tuple[str | None, str, str, dict[str, str], int, bool]
requests = st.tuples(
    st.sampled_from(["v0", "v1", "v2", "nobody", None]),
    st.sampled_from(["", "?q=x", "?sku=A", "?sku=C&q=", "?on_error=status", "?turbo_frame=f", "?tessera_digest=x"]),
    st.sampled_from(["", "/de"]),
    st.sampled_from([{}, {"accept_language": "de"}, {"sec_ch_ua_mobile": "?1"}, {"sec_gpc": "1"}]),
    st.sampled_from([0, 0, 0, 20, 90, 4000]),
    st.booleans(),
)


def world() -> World:
    people = [{"first_name": "Ann", "tier": "gold"}, {"first_name": "<b>", "tier": "odd"}, {"tier": "gold"}]
    return World(
        profiles={f"v{n}": Profile(traits) for n, traits in enumerate(people)},
        lists={"popular": ["A", "B"], "v0": ["B"], "v1": []},
        catalogue={sku: item(sku, f"<{sku}>") for sku in "AB"},
    )


def told(response: httpx.Response) -> tuple[object, ...]:
    """What must be the same both ways; where it was found is not."""
    headers = sorted(header for header in response.headers.multi_items() if header[0] != "cache-status")
    return response.status_code, headers, response.content


async def both_ways(client: Client, path: str, visitor: str | None, headers: dict[str, str]) -> None:
    """Ask three times, so that the second answer is warm in its inputs and the third in its fragment as well."""
    for _ in range(3):
        short = told(await client.get(path, visitor, **headers))
        assert short == told(await client.get(path, visitor, **headers, **LONG))


@settings(max_examples=12)
@given(st.sampled_from(SLOTS), st.lists(requests, min_size=3, max_size=9))
def test_both_ways_give_the_same_answer_at_any_time_and_in_any_state(slot: str, asked: list[Request]) -> None:
    async def ask(folder: Path) -> None:
        async with client_of(folder, world(), grace_s=600) as client:
            for visitor, query, locale, headers, later_s, failing in asked:
                client.clock.append(client.clock[-1] + timedelta(seconds=later_s))
                down = SourceUnavailable("profile", "it is down") if failing else None
                client.world.failing = {"profile": down, "items": down} if down else {}
                await both_ways(client, f"{locale}/fragments/home/{slot}{query}", visitor, headers)

    with TemporaryDirectory() as folder:
        asyncio.run(ask(write_site(Path(folder), {"home.yaml": PAGE}, TEMPLATES)))


@settings(max_examples=12)
@given(sites(), st.lists(requests, min_size=1, max_size=4))
def test_both_ways_give_the_same_answer_on_any_site(site: tuple[str, dict[str, str]], asked: list[Request]) -> None:
    async def ask(folder: Path) -> None:
        async with client_of(folder, world()) as client:
            for visitor, query, locale, headers, *_ in asked:
                await both_ways(client, f"{locale}/fragments/home/one{query}", visitor, headers)

    with TemporaryDirectory() as folder:
        asyncio.run(ask(write_site(Path(folder), {"home.yaml": site[0]}, site[1])))


def close_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def closed(*_: object) -> None:
        raise AssertionError("this goes the long way")

    monkeypatch.setattr(Pipeline, "slot", closed)


@pytest.mark.parametrize("slot", ["plain", "clock", "list", "item", "tier", "split"])
async def test_a_warm_request_goes_the_short_way(slot: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), world()) as client:
        path = f"/de/fragments/home/{slot}?sku=A"
        before = await client.get(path, "v2", accept="text/html")
        close_the_long_way(monkeypatch)
        assert told(await client.get(path, "v2")) == told(before)


async def test_a_request_is_decided_anew_on_the_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), world()) as client:
        during = await client.get("/fragments/home/tier", "v2")
        client.clock.append(NOW + timedelta(seconds=70))
        after = await client.get("/fragments/home/tier", "v2")
        assert (during.text, after.text.strip()) == ("gold Look /pages/home?from=", "Look")
        client.clock.append(NOW + timedelta(seconds=130))
        await client.get("/fragments/home/tier", "v2")
        close_the_long_way(monkeypatch)
        client.clock.append(NOW)
        assert told(await client.get("/fragments/home/tier", "v2")) == told(during)


async def test_what_fails_on_the_short_way_is_answered_by_the_long_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("an oversight")

    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), world()) as client:
        before = await client.get("/fragments/home/tier", "v2")
        monkeypatch.setattr("tessera.renderer.front.at_hand", fail)
        assert told(await client.get("/fragments/home/tier", "v2")) == told(before)
