"""Flags from any service that OpenFeature has a provider for (openfeature.dev, specification, "Providers").

The provider is asked itself: the SDK's own `api` is one for the whole process.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, cast

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, OpenFeatureError
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider import FeatureProvider
from pydantic import Field, field_validator

from tessera.adapters.base import Options, Reach
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import FlagKind, FlagQuery

Resolve = Callable[..., Awaitable[FlagResolutionDetails[Any]]]
DEFAULTS: Mapping[FlagKind, object] = {"boolean": False, "integer": 0, "decimal": 0.0, "text": "", "object": {}}
TELLS_NOTHING = (ErrorCode.FLAG_NOT_FOUND, ErrorCode.TARGETING_KEY_MISSING, ErrorCode.INVALID_CONTEXT)
"""Errors that are answers: of this visitor, as far as they are known, the service can say nothing."""


class OpenFeatureOptions(Options):
    """Which provider, and what it is made with."""

    provider: str = Field(
        pattern=r"^[\w.]+:\w+$",
        description="Class of the provider, as its module, a colon and its name: "
        "`openfeature.contrib.provider.flagd:FlagdProvider`",
    )
    arguments: dict[str, str | int | float | bool] = Field({}, description="What that class is made with, by name")
    secret_arguments: dict[str, str] = Field(
        {}, description="The same for secrets: to each the environment variable that holds it"
    )
    targeting_key: str = Field("id", description="The attribute that is OpenFeature's targeting key")

    @field_validator("provider")
    @classmethod
    def _is_there(cls, provider: str) -> str:
        try:
            _class_of(provider)
        except ImportError as failure:
            raise ValueError(f"{failure}: install the provider's package") from None
        except AttributeError as failure:
            raise ValueError(str(failure)) from None
        return provider

    def missing_secrets(self) -> list[str]:
        """Return the environment variables that are named and not set."""
        return [variable for variable in self.secret_arguments.values() if not os.environ.get(variable)]


class OpenFeatureFlags:
    """Implements `Flags`. The provider is made ready when it is first asked, and again where that failed."""

    Options = OpenFeatureOptions

    def __init__(self, options: OpenFeatureOptions, reach: Reach) -> None:
        secrets = {name: os.environ.get(variable, "") for name, variable in options.secret_arguments.items()}
        self._provider = cast(FeatureProvider, _class_of(options.provider)(**options.arguments, **secrets))
        self._targeting_key = options.targeting_key
        self._ready: asyncio.Task[None] | None = None
        self._resolve: Mapping[FlagKind, Resolve] = {
            "boolean": self._provider.resolve_boolean_details_async,
            "integer": self._provider.resolve_integer_details_async,
            "decimal": self._provider.resolve_float_details_async,
            "text": self._provider.resolve_string_details_async,
            "object": self._provider.resolve_object_details_async,
        }
        reach.closing.push_async_callback(self._close)

    async def flags(self, query: FlagQuery) -> Mapping[str, object]:
        """Ask for each flag."""
        await asyncio.shield(self._made_ready())
        told: dict[str, Any] = {name: list(v) if isinstance(v, tuple) else v for name, v in query.attributes}
        key = told.pop(self._targeting_key, None)
        context = EvaluationContext(None if key is None else str(key), told)
        found = await asyncio.gather(*(self._value(key, kind, context) for key, kind in query.wanted))
        return {key: value for (key, _), value in zip(query.wanted, found, strict=True) if value is not None}

    async def _value(self, key: str, kind: FlagKind, context: EvaluationContext) -> object:
        """Return one flag's value, None where there is none for this visitor."""
        try:
            details = await self._resolve[kind](key, DEFAULTS[kind], context)
            details.raise_for_error()
        except OpenFeatureError as failure:
            if failure.error_code in TELLS_NOTHING:
                return None
            raise _failure(failure) from failure
        except (OSError, TimeoutError) as failure:
            raise SourceUnavailable("flags", f"the provider failed ({type(failure).__name__})") from failure
        value: object = details.value
        return value

    def _made_ready(self) -> "asyncio.Task[None]":
        failed = self._ready is not None and self._ready.done() and (self._ready.cancelled() or self._ready.exception())
        if self._ready is None or failed:
            self._ready = asyncio.create_task(self._initialize())
        return self._ready

    async def _initialize(self) -> None:
        """Let the provider connect, on a thread: it may wait."""
        try:
            await asyncio.to_thread(self._provider.initialize, EvaluationContext())
        except OpenFeatureError as failure:
            raise _failure(failure) from failure
        except OSError as failure:
            raise SourceUnavailable("flags", f"the provider cannot start ({type(failure).__name__})") from failure

    async def _close(self) -> None:
        if self._ready is not None:
            await asyncio.gather(self._ready, return_exceptions=True)
            await asyncio.to_thread(self._provider.shutdown)


def _failure(failure: OpenFeatureError) -> SourceError:
    """Translate an error; its message is left out, as it may name the visitor."""
    code = failure.error_code
    if code in (ErrorCode.PARSE_ERROR, ErrorCode.TYPE_MISMATCH):
        return SourceGarbled("flags", f"the provider says {code}: is the fact's type the flag's?")
    kind = SourceTimeout if isinstance(failure.__cause__, TimeoutError) else SourceUnavailable
    return kind("flags", f"the provider says {code}")


def _class_of(provider: str) -> Any:
    module, _, name = provider.partition(":")
    return getattr(import_module(module), name)
