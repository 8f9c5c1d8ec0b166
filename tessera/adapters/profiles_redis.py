"""Profiles from Redis or Valkey: a hash, or a JSON document, for each visitor.

Whoever writes them is the shop's own job, such as the export of a platform.
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, TypeAdapter, ValidationError, field_validator
from redis.exceptions import RedisError, ResponseError

from tessera.adapters.base import Reach, secret
from tessera.adapters.client import at
from tessera.adapters.platforms import SOURCE, PlatformOptions, consents_of, names_at, object_at, only, segments_of
from tessera.adapters.redis import connect
from tessera.renderer.core.errors import SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import Profile

TIMEOUT_S = 2.0
"""How long a connection may be silent before it is given up; a request waits for its deadline only."""

DOCUMENT = TypeAdapter[Any](Any)


class RedisProfilesOptions(PlatformOptions):
    """Where Redis is, and how profiles lie in it."""

    url: str | None = Field(
        None, pattern="^(rediss?|unix)://", description="Address, such as `redis://127.0.0.1:6379/1`"
    )
    url_variable: str | None = Field(
        None, description="Environment variable with the address instead, where that holds a password"
    )
    key: str = Field(
        "profile:{visitor_id}",
        description="Key of a profile, in which `{visitor_id}` is filled in: letters, digits and `_.-~` as they are, "
        "all else percent-encoded",
    )
    form: Literal["hash", "json"] = Field(
        "hash", description="`hash` with a field for each trait, or `json`, a text that is a JSON object"
    )
    traits: str = Field("", description="Where the traits are in a `json`, dotted; empty for the whole")
    segments: str = Field(
        "segments", description="Field, or place in a `json`, with the segments; in a hash one text with commas"
    )

    @field_validator("key")
    @classmethod
    def _key_has_a_place_for_the_visitor(cls, key: str) -> str:
        if "{visitor_id}" not in key:
            raise ValueError("it must hold `{visitor_id}`")
        return key


class RedisProfiles:
    """Implements `Profiles`. No key is a visitor who is not known."""

    Options = RedisProfilesOptions

    def __init__(self, options: RedisProfilesOptions, reach: Reach) -> None:
        self._options = options
        self._redis = connect(secret(options.url_variable) or options.url or "redis://127.0.0.1:6379/0", TIMEOUT_S)
        reach.closing.push_async_callback(self._redis.aclose)

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Read one profile."""
        key = self._options.key.replace("{visitor_id}", quote(visitor_id, safe=""))
        if self._options.form == "json":
            return self._of_json(await self._run("GET", key), traits)
        named = [self._options.segments, *([self._options.consent] if self._options.consent else ())]
        wanted = list(dict.fromkeys([*sorted(traits), *named]))
        values = await self._run("HMGET", key, *wanted)
        if all(value is None for value in values) and not await self._run("EXISTS", key):
            return Profile(status="missing")
        return self._of_hash(dict(zip(wanted, values, strict=True)), traits)

    def _of_hash(self, values: Mapping[str, bytes | None], traits: frozenset[str]) -> Profile:
        try:
            found = {name: value.decode() for name, value in values.items() if value is not None}
        except UnicodeDecodeError as broken:
            raise SourceGarbled(SOURCE, "a field is not UTF-8") from broken
        segments = [each.strip() for each in found.get(self._options.segments, "").split(",")]
        return Profile(
            only(traits, found),
            segments_of(self._options.audiences, [each for each in segments if each]),
            consents=consents_of(found.get(self._options.consent)) if self._options.consent else {},
        )

    def _of_json(self, text: bytes | None, traits: frozenset[str]) -> Profile:
        if text is None:
            return Profile(status="missing")
        try:
            document = DOCUMENT.validate_json(text)
        except ValidationError as broken:
            raise SourceGarbled(SOURCE, "the profile is not JSON") from broken
        found = object_at(document, "the profile")
        options = self._options
        return Profile(
            only(traits, object_at(at(found, options.traits), options.traits)),
            segments_of(options.audiences, names_at(at(found, options.segments), options.segments)),
            consents=consents_of(at(found, options.consent)) if options.consent else {},
        )

    async def _run(self, *command: str) -> Any:
        try:
            return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]  # redis gives none
        except ResponseError as refused:
            raise SourceGarbled(SOURCE, f"redis refused {command[0]}") from refused
        except (RedisError, OSError, TimeoutError) as failure:
            raise SourceUnavailable(SOURCE, f"redis: {type(failure).__name__}") from failure
