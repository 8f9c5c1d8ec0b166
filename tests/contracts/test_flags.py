"""The adapters of flag services keep their port's contract."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, GeneralError
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from tessera.adapters.base import Reach
from tessera.adapters.client import Client
from tessera.adapters.flags_growthbook import GrowthBookFlags
from tessera.adapters.flags_none import NoFlags
from tessera.adapters.flags_openfeature import OpenFeatureFlags
from tessera.adapters.sqlite import Store
from tessera.contracts.contract import VISITOR, Staged, closing, made
from tessera.contracts.flags import FlagsContract
from tessera.contracts.over_http import OverHttp
from tessera.contracts.stand_in import Reply
from tessera.renderer.core.ports import FlagKind, FlagQuery, Flags
from tests.support.reach import reach_of

KINDS: dict[str, FlagKind] = {"checkout": "boolean", "copy": "text", "limit": "integer", "rate": "decimal"}
VALUES = {"checkout": True, "copy": "urgency", "limit": 3, "rate": 0.5}
OTHERS = {"checkout": False, "copy": "control", "limit": 1, "rate": 0.25}


class TestGrowthBook(OverHttp, FlagsContract):
    adapter = GrowthBookFlags
    settings: ClassVar = {"client_key": "sdk-abc", "refresh_s": 0, "keep_s": 0}  # all that is kept is too old
    known = Reply(
        {
            "status": 200,
            "features": {
                **{
                    key: {"defaultValue": OTHERS[key], "rules": [{"condition": {"id": VISITOR}, "force": VALUES[key]}]}
                    for key in KINDS
                },
                "unasked": {"defaultValue": 1},
            },
        }
    )
    kinds = KINDS
    values = VALUES
    for_strangers = OTHERS


async def test_without_a_service_nobody_is_asked_and_every_flag_is_unknown() -> None:
    flags: Flags = made(NoFlags, {}, reach_of())
    assert await flags.flags(FlagQuery(tuple(KINDS.items()), (("id", VISITOR),))) == {}


class Provider(InMemoryProvider):
    """A provider that knows two visitors apart, and can be broken."""

    fault: str | None = None

    def __init__(self) -> None:
        def rule(flag: InMemoryFlag[Any], context: EvaluationContext | None) -> FlagResolutionDetails[Any]:
            if Provider.fault == "failing":
                raise GeneralError(f"no connection for {context}")
            if Provider.fault == "broken":
                raise OSError(f"no route for {context}")
            if Provider.fault == "garbled":
                return FlagResolutionDetails(None, error_code=ErrorCode.PARSE_ERROR, error_message=str(context))
            name = "known" if context is not None and context.targeting_key == VISITOR else "other"
            return FlagResolutionDetails(flag.variants[name])

        variants = {key: {"known": VALUES[key], "other": OTHERS[key]} for key in KINDS}
        super().__init__({key: InMemoryFlag("other", each, context_evaluator=rule) for key, each in variants.items()})


class TestOpenFeature(FlagsContract):
    adapter = OpenFeatureFlags
    faults: ClassVar[Collection[str]] = ("failing", "broken", "garbled")
    kinds = KINDS
    values = VALUES
    for_strangers = OTHERS

    @asynccontextmanager
    async def staged(self, folder: Path) -> AsyncIterator[Staged[Any]]:
        async with AsyncExitStack() as opened:
            reach = Reach(lambda: cast(Client, None), cast(Store, None), opened)
            adapter = made(self.adapter, {"provider": f"{__name__}:Provider"}, reach)

            def fail(fault: Any) -> None:
                Provider.fault = fault

            async with closing(Staged(adapter, fail), opened.aclose) as stage:
                yield stage
