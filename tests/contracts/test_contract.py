"""The contract finds adapters that break it, by the test that says so."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest

from tessera.adapters.base import Nothing, Reach
from tessera.adapters.client import fill_url, get_json
from tessera.contracts import stand_in
from tessera.contracts.contract import Contract
from tessera.contracts.lists import ListsContract
from tessera.contracts.over_http import OverHttp
from tessera.contracts.profiles import ProfilesContract
from tessera.contracts.stand_in import Reply
from tessera.renderer.core.errors import SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Profile, Recommendations, Recommended

URL = "https://cdp.example/v1/"


class Good:
    """Keeps to everything; those below each differ in one thing."""

    Options = Nothing

    def __init__(self, options: Nothing, reach: Reach) -> None:
        self.client = reach.client

    async def document(self, visitor_id: str) -> Any:
        return await get_json(self.client, "profile", fill_url(URL + "{id}", {"id": visitor_id}), None)

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        found = await self.document(visitor_id)
        if found is None:
            return Profile(status="missing")
        if not isinstance(found, dict):
            raise SourceGarbled("profile", "the reply is not an object")
        return Profile({name: value for name, value in found.items() if name in traits})


class Remembers(Good):
    def __init__(self, options: Nothing, reach: Reach) -> None:
        super().__init__(options, reach)
        self.kept: dict[str, Any] = {}

    async def document(self, visitor_id: str) -> Any:
        if visitor_id not in self.kept:
            self.kept[visitor_id] = await super().document(visitor_id)
        return self.kept[visitor_id]


class Mixes(Good):
    """Answers all who ask at one time with what the last of them gets."""

    async def document(self, visitor_id: str) -> Any:
        self.last = visitor_id
        await super().document(visitor_id)
        return await super().document(self.last)


class TellsTooMuch(Good):
    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        try:
            return Profile({**await self.document(visitor_id)})  # more than was asked for
        except SourceUnavailable as failure:
            raise SourceUnavailable("profile", f"no profile of {visitor_id}") from failure
        except TypeError:
            raise SourceUnavailable("profile", "missing") from None  # a stranger is no failure


class Breaks(Good):
    async def document(self, visitor_id: str) -> Any:
        async with self.client.request("GET", URL + visitor_id, headers={}) as reply:
            return None if reply.status == 404 else await reply.json()


class Trusts(Good):
    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        found = await self.document(visitor_id)
        return Profile({name: found[name] for name in traits})


class HoldsOn(Good):
    """Goes on after it was cancelled."""

    async def document(self, visitor_id: str) -> Any:
        call = self.call = asyncio.ensure_future(super().document(visitor_id))
        return await asyncio.shield(call)


class OfProfiles(OverHttp, ProfilesContract):
    known = Reply({"tier": "gold", "email": "ann@example.com"})
    traits: ClassVar = {"tier": "gold"}


class TooMany:
    """Gives all that it has, as it has it."""

    Options = Nothing

    def __init__(self, options: Nothing, reach: Reach) -> None:
        self.client = reach.client

    async def items(self, query: ListQuery) -> Recommendations:
        found: Any = await get_json(self.client, "items", f"{URL}{query.visitor_id}", None)
        return Recommendations(tuple(Recommended(each) for each in found or ()))


class OfLists(OverHttp, ListsContract):
    known = Reply(["a", "b", "a"])
    items = ("a", "b")


def of(adapter: type[Any]) -> OfProfiles:
    contract = OfProfiles()
    contract.adapter = adapter  # type: ignore[misc]  # of this instance alone
    return contract


class TestGood(OfProfiles):
    adapter = Good


BROKEN = (AssertionError, aiohttp.ClientError, ValueError, LookupError, TypeError, TimeoutError, pytest.fail.Exception)

CASES: list[tuple[type[Any], str, tuple[object, ...]]] = [
    (Remembers, "test_nothing_is_remembered", ("failing",)),
    (Mixes, "test_concurrent_answers_are_each_ones_own", ()),
    (TellsTooMuch, "test_only_the_traits_that_were_asked_for_come", ()),
    (TellsTooMuch, "test_what_is_known_comes_as_it_is", ()),
    (TellsTooMuch, "test_a_failure_is_a_source_error_that_tells_nothing_of_the_visitor", ("failing",)),
    (Breaks, "test_a_failure_is_a_source_error_that_tells_nothing_of_the_visitor", ("garbled",)),
    (Breaks, "test_a_failure_is_a_source_error_that_tells_nothing_of_the_visitor", ("redirected",)),
    (Breaks, "test_a_failure_is_a_source_error_that_tells_nothing_of_the_visitor", ("cut off",)),
    (Breaks, "test_a_visitor_cannot_change_what_is_asked_of_whom", ("..",)),
    (Breaks, "test_a_visitor_cannot_change_what_is_asked_of_whom", ("a?b=c#d",)),
    (Trusts, "test_json_of_another_shape_is_a_source_error_at_worst", ()),
    (HoldsOn, "test_a_cancelled_call_ends_at_once_and_leaves_no_connection", ()),
]


@pytest.mark.parametrize(
    ("adapter", "test", "arguments"), CASES, ids=[f"{each[0].__name__}-{each[1]}" for each in CASES]
)
def test_an_adapter_that_breaks_a_promise_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: type[Any], test: str, arguments: tuple[object, ...]
) -> None:
    monkeypatch.setattr(stand_in, "PATIENCE_S", 0.5)
    broken: Callable[..., None] = getattr(of(adapter), test)
    with pytest.raises(BROKEN):
        broken(tmp_path, *arguments)


def test_a_list_that_is_too_long_fails(tmp_path: Path) -> None:
    contract = OfLists()
    contract.adapter = TooMany  # type: ignore[misc]
    with pytest.raises(AssertionError):
        contract.test_never_more_than_asked_and_nothing_twice(tmp_path)


def test_every_port_has_the_tests_of_all() -> None:
    common = {name for name in {**vars(Contract), **vars(OverHttp)} if name.startswith("test_")}
    assert common <= set(dir(OfLists)) & set(dir(OfProfiles))
