"""A page with several lists of its visitor's own: one call upstream, no item twice, each list remembered as its own."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tessera.adapters.recommender_recombee import RecombeeOptions, RecombeeRecommender
from tessera.contracts.stand_in import Asked, Reply, StandIn
from tessera.renderer.core.ports import ListQuery
from tests.support.client import Client, client_of
from tests.support.fakes import World, item
from tests.support.reach import reach_of
from tests.support.sites import FACTS, write_site

FACTS_WITH_ATTRIBUTION = FACTS.rstrip() + "\n      attribution: {type: string}\n"
LISTS = """
    lists:
      new: {kind: personal, count: 3}
      mine: {kind: personal, count: 3}
      again: {kind: personal, count: 3}
"""
PAGE = """
    page: home
    layouts: [{use: rails}]
    slots:
      top: {default: {template: rail.liquid, items: new}}
      middle: {default: {template: rail.liquid, items: mine}}
      bottom: {default: {template: rail.liquid, items: again}}
"""
ALONE = """
    page: one
    slots:
      only: {default: {template: rail.liquid, items: mine}}
"""
TEMPLATES = {
    "rail.liquid": "<ul>{% for item in items %}<li>{{ item.sku }} {{ item.attribution }}</li>{% endfor %}</ul>",
    "home/layouts/rails.liquid": "{{ slots.top }}{{ slots.middle }}{{ slots.bottom }}",
}
SKUS = [f"S{number}" for number in range(9)]
SLOTS = ("top", "middle", "bottom")


@dataclass
class Recombee:
    """Recommends the same items in every scenario: the rankings of a visitor agree more often than not.

    Scenarios that are ``failing`` fail. ``asked`` are the visitors and scenarios of each call.
    """

    failing: frozenset[str] = frozenset()
    asked: list[list[tuple[str, str]]] = field(default_factory=list)

    def answer(self, request: Asked) -> Reply:
        """Answer a request or a batch, of which a user may want distinct items."""
        body, given = json.loads(request.body), set[tuple[str, str]]()
        batch = body.get("requests", [{"path": request.url.path, "params": body}])
        asked = [(re.findall("/users/([a-z]+)/", each["path"])[0], each["params"]["scenario"]) for each in batch]
        self.asked.append(asked)
        replies: list[dict[str, Any]] = []
        for (user, scenario), each in zip(asked, batch, strict=True):
            left = [sku for sku in SKUS if (user, sku) not in given][: each["params"]["count"]]
            if body.get("distinctRecomms"):
                given.update((user, sku) for sku in left)
            reply = {"recommId": f"{user}-{scenario}", "recomms": [{"id": sku} for sku in left]}
            replies.append({"code": 500, "json": {}} if scenario in self.failing else {"code": 200, "json": reply})
        return Reply(replies if "requests" in body else replies[0]["json"])


@asynccontextmanager
async def shop(
    folder: Path, recombee: Recombee, monkeypatch: pytest.MonkeyPatch, page: str = PAGE
) -> AsyncIterator[Client]:
    monkeypatch.setenv("RECOMBEE_TOKEN", "t0ken")
    rules = {"home.yaml": page, "one.yaml": ALONE, "lists.yaml": LISTS, "facts.yaml": FACTS_WITH_ATTRIBUTION}
    site, world = write_site(folder, rules, TEMPLATES), World(catalogue={sku: item(sku) for sku in SKUS})
    async with StandIn.listening(recombee.answer) as stand_in, stand_in.client() as client:
        adapter = RecombeeRecommender(RecombeeOptions(database="shop"), reach_of(client))
        async with client_of(site, world, recommender=adapter, fresh_s=600) as opened:
            yield opened


def shown(text: str) -> list[list[tuple[str, str]]]:
    """Return the items of each rail, each with the id under which what became of it is fed back."""
    return [re.findall("<li>(.*?) (.*?)</li>", rail) for rail in re.findall("<ul>(.*?)</ul>", text)]


def skus(rails: list[list[tuple[str, str]]]) -> list[str]:
    return [sku for rail in rails for sku, _ in rail]


@pytest.mark.parametrize("unique", [False, True])
async def test_a_page_of_several_rails_is_one_call_upstream_and_shows_no_item_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unique: bool
) -> None:
    recombee = Recombee()
    page = PAGE.replace("{default", "{unique: true, default") if unique else PAGE
    async with shop(tmp_path, recombee, monkeypatch, page) as client:
        rails = shown((await client.get("/pages/home", "ann")).text)
        assert skus(rails) == SKUS
        assert [{told for _, told in rail} for rail in rails] == [{"ann-new"}, {"ann-mine"}, {"ann-again"}]
        assert recombee.asked == [[("ann", "new"), ("ann", "mine"), ("ann", "again")]]
        assert shown((await client.get("/pages/home", "ann")).text) == rails
        alone = [shown((await client.get(f"/fragments/home/{slot}", "ann")).text)[0] for slot in SLOTS]
        assert alone == rails
        assert len(recombee.asked) == 1  # each list is remembered


async def test_fragments_that_are_asked_for_in_one_request_are_one_call_upstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recombee = Recombee()
    async with shop(tmp_path, recombee, monkeypatch) as client:
        asked = {"fragments": [{"page": "home", "slot": slot} for slot in SLOTS]}
        answer = (await client.http.post("/fragments", json=asked, headers=client.headers("ann"))).json()
        assert skus([shown(each["body"])[0] for each in answer["fragments"]]) == SKUS
        assert recombee.asked == [[("ann", "new"), ("ann", "mine"), ("ann", "again")]]


async def test_visitors_who_come_at_the_same_time_are_asked_about_in_calls_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recombee = Recombee()
    async with shop(tmp_path, recombee, monkeypatch) as client:
        pages = await asyncio.gather(*(client.get("/pages/home", who) for who in ("ann", "bob")))
        for who, page in zip(("ann", "bob"), pages, strict=True):
            assert {told.partition("-")[0] for rail in shown(page.text) for _, told in rail} == {who}
        assert sorted({who for who, _ in call} for call in recombee.asked) == [{"ann"}, {"bob"}]


async def test_a_rail_whose_list_fails_is_missing_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(tmp_path, Recombee(frozenset({"mine"})), monkeypatch) as client:
        answer = await client.get("/pages/home", "ann")
        assert answer.status_code == 200
        assert [{told for _, told in rail} for rail in shown(answer.text)] == [{"ann-new"}, {"ann-again"}]


async def test_a_list_on_a_page_of_its_own_lacks_nothing_that_others_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(tmp_path, Recombee(), monkeypatch) as client:
        assert skus(shown((await client.get("/pages/home", "ann")).text)) == SKUS
        assert skus(shown((await client.get("/fragments/one/only", "ann")).text)) == SKUS[:3]


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ("{a: {default: NEW}, b: {default: MINE}}", {("new", True), ("mine", True)}),
        (
            "{a: {default: NEW}, b: {default: POPULAR}, c: {default: MINE}}",
            {("new", True), ("mine", True), ("all", False)},
        ),
        ("{a: {default: NEW}, b: {unique: true, default: MINE}}", {("new", False), ("mine", False)}),
        ("{a: {default: MINE}, b: {default: MINE}}", {("mine", False)}),
        ("{a: {default: MINE}, b: {default: POPULAR}}", {("mine", False), ("all", False)}),
        ("{a: {default: CHAIN}, b: {default: POPULAR}}", {("chain", False), ("mine", False), ("all", False)}),
    ],
    ids=["two", "two and everybody's", "unique", "one twice", "one", "one and its fallback"],
)
async def test_lists_are_to_be_kept_apart_where_several_stand_on_a_page_and_nothing_else_sees_to_it(
    tmp_path: Path, slots: str, expected: set[tuple[str, bool]]
) -> None:
    lists = LISTS + "      chain: {kind: personal, count: 3, fallback: mine}\n      all: {kind: popular, count: 3}\n"
    names = {"NEW": "new", "MINE": "mine", "POPULAR": "all", "CHAIN": "chain"}
    for word, name in names.items():
        slots = slots.replace(word, f"{{template: rail.liquid, items: {name}}}")
    rules = {"home.yaml": f"page: home\nslots: {slots}\n", "lists.yaml": lists, "facts.yaml": FACTS_WITH_ATTRIBUTION}
    world = World()
    async with client_of(write_site(tmp_path, rules, TEMPLATES), world) as client:
        for slot in re.findall("([abc]): ", slots):
            await client.get(f"/fragments/home/{slot}", "ann")
    queries = [what for source, what in world.calls if source == "items"]
    assert {(query.name, query.apart) for query in queries if isinstance(query, ListQuery)} == expected
