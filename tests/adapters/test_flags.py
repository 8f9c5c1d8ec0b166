"""Flag services: what is loaded when, and what a provider that is not well is told to be."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ProviderNotReadyError, TargetingKeyMissingError
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from tessera.adapters import flags_growthbook
from tessera.adapters.base import Reach
from tessera.adapters.client import Client
from tessera.adapters.flags_growthbook import GrowthBookFlags, GrowthBookOptions
from tessera.adapters.flags_openfeature import OpenFeatureFlags, OpenFeatureOptions
from tessera.adapters.sqlite import Store
from tessera.contracts.stand_in import Asked, Reply, StandIn
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import FlagQuery
from tessera.renderer.settings import SettingsError, load_settings

ON = FlagQuery((("on", "boolean"),), (("id", "ann"),))


class GrowthBook:
    """GrowthBook, and the clock of the adapter."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.features: Mapping[str, object] = {"on": {"defaultValue": True}}
        self.unchanged = False

    def answer(self, asked: Asked) -> Reply:
        if self.unchanged:
            return Reply(b"", 304)
        return Reply({"features": self.features, "savedGroups": {"friends": ["ann"]}}, headers={"etag": '"v1"'})

    @asynccontextmanager
    async def adapter(self, **settings: Any) -> AsyncIterator[tuple[GrowthBookFlags, StandIn]]:
        async with AsyncExitStack() as opened, StandIn.listening(self.answer) as stand_in:
            client = await opened.enter_async_context(stand_in.client())
            options = GrowthBookOptions(client_key="sdk-abc", **settings)
            yield GrowthBookFlags(options, Reach(lambda: client, cast(Store, None), opened)), stand_in


@pytest.fixture
def growthbook(monkeypatch: pytest.MonkeyPatch) -> GrowthBook:
    upstream = GrowthBook()
    monkeypatch.setattr(flags_growthbook, "time", SimpleNamespace(monotonic=lambda: upstream.now_s))
    return upstream


async def test_features_are_loaded_once_however_many_ask_at_first(growthbook: GrowthBook) -> None:
    async with growthbook.adapter() as (adapter, stand_in):
        assert await asyncio.gather(*(adapter.flags(ON) for _ in range(50))) == [{"on": True}] * 50
        (asked,) = stand_in.asked
        assert str(asked.url) == "https://cdn.growthbook.io/api/features/sdk-abc"


async def test_features_are_loaded_anew_behind_the_answers(growthbook: GrowthBook) -> None:
    async with growthbook.adapter(refresh_s=60) as (adapter, stand_in):
        await adapter.flags(ON)
        growthbook.features = {"on": {"defaultValue": False}}
        growthbook.now_s += 59
        assert await adapter.flags(ON) == {"on": True}
        growthbook.now_s += 1
        assert [await adapter.flags(ON) for _ in range(3)] == [{"on": True}] * 3
        assert adapter._refreshing is not None
        await adapter._refreshing
        assert await adapter.flags(ON) == {"on": False}
        assert len(stand_in.asked) == 2


async def test_features_that_have_not_changed_count_as_loaded_anew(growthbook: GrowthBook) -> None:
    async with growthbook.adapter(refresh_s=60, keep_s=60) as (adapter, stand_in):
        await adapter.flags(ON)
        growthbook.unchanged = True
        growthbook.now_s += 60
        assert await adapter.flags(ON) == {"on": True}
        growthbook.now_s += 59
        assert await adapter.flags(ON) == {"on": True}
        assert len(stand_in.asked) == 2


async def test_features_that_cannot_be_had_anew_are_gone_by_for_a_while(growthbook: GrowthBook) -> None:
    async with growthbook.adapter(refresh_s=60, keep_s=600) as (adapter, stand_in):
        await adapter.flags(ON)
        stand_in.fault = "failing"
        growthbook.now_s += 599
        assert await adapter.flags(ON) == {"on": True}
        growthbook.now_s += 1
        with pytest.raises(SourceUnavailable):
            await adapter.flags(ON)


async def test_saved_groups_and_experiments_are_decided_on_as_growthbook_does(growthbook: GrowthBook) -> None:
    growthbook.features = {
        "on": {"defaultValue": False, "rules": [{"condition": {"id": {"$inGroup": "friends"}}, "force": True}]},
        "copy": {
            "defaultValue": "none",
            "rules": [{"variations": ["a", "b"], "weights": [0.5, 0.5], "hashAttribute": "id", "seed": "s"}],
        },
    }
    async with growthbook.adapter() as (adapter, _):
        assert await adapter.flags(ON) == {"on": True}
        visitors = [FlagQuery((("copy", "text"),), (("id", f"v{n}"),)) for n in range(200)]
        arms = [(await adapter.flags(query))["copy"] for query in visitors]
        assert 70 < arms.count("a") < 130
        assert arms == [(await adapter.flags(query))["copy"] for query in visitors]
        assert await adapter.flags(FlagQuery((("copy", "text"),))) == {"copy": "none"}


class Provider(InMemoryProvider):
    """A provider that wants a secret, fails at first, and knows who it needs."""

    made: "Provider"

    def __init__(self, secret: str, *, starts: int = 0) -> None:
        def rule(flag: InMemoryFlag[Any], context: EvaluationContext | None) -> FlagResolutionDetails[Any]:
            if context is None or context.targeting_key is None:
                raise TargetingKeyMissingError("who?")
            return FlagResolutionDetails([context.targeting_key, dict(context.attributes)])

        super().__init__({"who": InMemoryFlag("x", {"x": []}, context_evaluator=rule)})
        self.secret, self.starts, self.closed = secret, starts, False
        Provider.made = self

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        self.starts -= 1
        if self.starts >= 0:
            raise ProviderNotReadyError(f"cannot log in with {self.secret}")

    def shutdown(self) -> None:
        self.closed = True


WHO = FlagQuery((("who", "object"),), (("groups", ("a", "b")), ("user", "ann")))


@asynccontextmanager
async def openfeature(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> AsyncIterator[OpenFeatureFlags]:
    monkeypatch.setenv("FLAGS_SECRET", "s3cret")
    options = OpenFeatureOptions(
        provider=f"{__name__}:Provider",
        arguments=arguments,
        secret_arguments={"secret": "FLAGS_SECRET"},
        targeting_key="user",
    )
    async with AsyncExitStack() as opened:
        yield OpenFeatureFlags(options, Reach(lambda: cast(Client, None), cast(Store, None), opened))


async def test_a_provider_is_told_the_targeting_key_and_the_attributes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    async with openfeature(monkeypatch) as adapter:
        assert await adapter.flags(WHO) == {"who": ["ann", {"groups": ["a", "b"]}]}
        assert Provider.made.secret == "s3cret"
    assert Provider.made.closed


async def test_of_a_stranger_a_provider_that_needs_a_key_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with openfeature(monkeypatch) as adapter:
        assert await adapter.flags(FlagQuery(WHO.wanted)) == {}


async def test_a_provider_that_does_not_start_is_started_again_and_its_words_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with openfeature(monkeypatch, starts=1) as adapter:
        with pytest.raises(SourceUnavailable) as failure:
            await adapter.flags(WHO)
        assert str(failure.value) == "flags: the provider says PROVIDER_NOT_READY"
        assert "who" in await adapter.flags(WHO)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            'adapter = "openfeature"\nprovider = "there.is.none:Provider"',
            "`flags`: the `openfeature` adapter does not take `provider`: No module named 'there': "
            "install the provider's package",
        ),
        ('adapter = "growthbook"', "`flags`: the `growthbook` adapter needs a `client_key`"),
        (
            'adapter = "split"',
            "`flags`: there is no adapter `split` for it; there are `none`, `growthbook`, `openfeature`",
        ),
    ],
)
def test_settings_that_cannot_be_used_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, problem: str
) -> None:
    monkeypatch.setenv("TESSERA_SECRET", "a secret for tests only")
    (tmp_path / "tessera.toml").write_text(f"[flags]\n{settings}\n")
    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path)
    assert [each.lower() for each in refused.value.problems] == [problem.lower()]


def test_an_adapter_whose_package_is_not_installed_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SECRET", "a secret for tests only")
    monkeypatch.delitem(sys.modules, "tessera.adapters.flags_growthbook")
    monkeypatch.setitem(sys.modules, "growthbook.common_types", None)
    (tmp_path / "tessera.toml").write_text('[flags]\nadapter = "growthbook"\nclient_key = "sdk-abc"\n')
    with pytest.raises(SettingsError, match=r"the package `growthbook`: pip install 'tessera\[growthbook\]'"):
        load_settings(tmp_path)
