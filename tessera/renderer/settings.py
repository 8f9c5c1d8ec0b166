"""Settings: `tessera.toml` in the site folder, and environment variables, which outrank it.

A setting ``fresh_s`` in the table ``[profiles]`` is ``TESSERA_PROFILES__FRESH_S`` in the environment. Secrets are
read from the environment only. `docs/operating.md` lists every setting with its default, unit and meaning.
"""

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from tessera.renderer.settings_serving import (
    Admin,
    Cache,
    Downstream,
    EdgeServer,
    Http,
    Recording,
    Redis,
    Rendering,
    Server,
    Site,
    Telemetry,
    Visitors,
)
from tessera.renderer.settings_upstreams import (
    Assignments,
    Carts,
    Catalogue,
    Events,
    Flags,
    Lists,
    Profiles,
    Service,
    lowered,
)

FILE = "tessera.toml"
SECRETS = ("secret", "edge_secret", "cart_secret", "admin_token")
MIN_SECRET = 16


class Settings(BaseSettings):
    """Everything that can be set. Made by `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="TESSERA_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    site: Site = Site()
    server: Server = Server()
    admin: Admin = Admin()
    telemetry: Telemetry = Telemetry()
    visitors: Visitors = Visitors()
    rendering: Rendering = Rendering()
    cache: Cache = Cache()
    redis: Redis = Redis()
    edge: EdgeServer = EdgeServer()
    downstream: tuple[Downstream, ...] = ()
    http: Http = Http()
    profiles: Profiles = Profiles()
    lists: Lists = Lists()
    catalogue: Catalogue = Catalogue()
    flags: Flags = Flags()
    carts: Carts = Carts()
    assignments: Assignments = Assignments()
    events: Events = Events()
    recording: Recording = Recording()

    secret: SecretStr | None = Field(
        None, description="Signs visitor ids; at least 16 characters, required in production"
    )
    edge_secret: SecretStr | None = Field(
        None,
        description="Shared with the proxy: only a request that carries it may name a visitor or a place",
    )
    cart_secret: SecretStr | None = Field(
        None, description="Shared with the shop, which signs carts with it; without it no cart in a header counts"
    )
    admin_token: SecretStr | None = Field(
        None, description="Bearer token for the administrative routes; at least 16 characters"
    )

    @property
    def services(self) -> Sequence[tuple[str, Service]]:
        """The services that adapters ask, each with the table that its settings stand in."""
        return (
            ("profiles", self.profiles),
            *((f"profiles.sources.{each.name}", each) for each in self.profiles.sources),
            ("lists", self.lists),
            *((f"lists.sources.{each.name}", each) for each in self.lists.sources),
            ("catalogue", self.catalogue),
            ("flags", self.flags),
        )

    @model_validator(mode="after")
    def _production_needs_a_secret(self) -> Self:
        if self.server.mode == "production" and self.secret is None:
            raise ValueError("`TESSERA_SECRET` must be set in production: visitor ids are signed with it")
        if self.secret is not None and len(self.secret.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"`TESSERA_SECRET` must have at least {MIN_SECRET} characters")
        if self.admin_token is not None and len(self.admin_token.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"`TESSERA_ADMIN_TOKEN` must have at least {MIN_SECRET} characters")
        return self

    @model_validator(mode="after")
    def _caches_downstream_differ(self) -> Self:
        names = [each.name for each in self.downstream]
        if len(set(names)) < len(names):
            raise ValueError("`downstream`: two of the same name")
        return self

    @model_validator(mode="after")
    def _production_needs_every_secret_that_is_named(self) -> Self:
        wanted = [("downstream", each.token_variable) for each in self.downstream if each.token_variable is not None]
        missing = [(table, name) for table, name in wanted if not os.environ.get(name)]
        for table, service in self.services:
            missing += [(table, name) for name in service.options.missing_secrets()]
        if missing and self.server.mode == "production":
            raise ValueError(
                "; ".join(f"`{table}`: `{name}` must be set in the environment" for table, name in missing)
            )
        return self


class SettingsError(Exception):
    """Settings that cannot be used; ``problems`` has a line for each, naming the setting as the user wrote it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_settings(folder: Path, **overrides: Any) -> Settings:
    """Read the settings of a site folder and the environment; ```overrides`` (tables) outrank both.

    Raises `SettingsError` with every problem at once.
    """
    file = folder / FILE
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingsError([f"{FILE}: {lowered(str(broken))}"]) from broken
    problems = [
        f"{FILE}: `{name}` is a secret: set `TESSERA_{name.upper()}` in the environment instead"
        for name in SECRETS
        if tables.pop(name, None) is not None
    ]

    class WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, tables)

    try:
        settings = WithFile(**overrides)
    except ValidationError as invalid:
        raise SettingsError(problems + [_problem(error) for error in invalid.errors()]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _problem(error: ErrorDetails) -> str:
    """Say in one line which setting is wrong and why; never the value of a secret."""
    place = [str(part) for part in error["loc"]]
    reason = lowered(error["msg"].removeprefix("Value error, "))
    if error["type"] == "extra_forbidden":
        reason = "there is no such setting"
    if not place:
        return reason
    quiet = place[0] in SECRETS or error["type"] == "extra_forbidden" or isinstance(error["input"], dict)
    given = "" if quiet else f", not `{error['input']}`"
    return f"`{'.'.join(place)}`: {reason}{given}"
