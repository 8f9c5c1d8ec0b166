"""Settings: `tessera.toml` in the site folder, and environment variables, which outrank it.

A setting ``fresh_s`` in the table ``[profiles]`` is ``TESSERA_PROFILES__FRESH_S`` in the environment. Secrets are
read from the environment only. `docs/operating.md` lists every setting with its default, unit and meaning.
"""

import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from tessera.adapters.base import Options
from tessera.adapters.registry import Port, UnknownAdapter, adapter_of
from tessera.renderer.calls import Manner
from tessera.renderer.edge import Kind

FILE = "tessera.toml"
SECRETS = ("secret", "edge_secret", "cart_secret", "admin_token")
MIN_SECRET = 16
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
ReferrerPolicy = Literal[
    "no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "no-referrer-when-downgrade"
]


class Table(BaseModel):
    """A table of `tessera.toml`; an unknown name in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Site(Table):
    """The site as a whole."""

    name: str = Field("Tessera", description="Name of the site, shown in development only")
    locales: tuple[str, ...] = Field(
        ("en",), min_length=1, description="Locales that the site speaks, the first being the default"
    )
    zone: str = Field("UTC", description="Zone that `now` of templates is in, by its IANA name")
    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="Currency of carts (ISO 4217)")

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("there is no such zone; write an IANA name such as `Europe/Berlin`") from None


class Server(Table):
    """Listening and serving."""

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    mode: Literal["development", "production"] = Field(
        "production",
        description="In development, edits show on the next request and personas are listed at `/`",
    )
    workers: PositiveInt = Field(1, description="Processes that share the port")
    state_dir: Path = Field(Path(".tessera"), description="Folder for what Tessera itself stores, made if missing")
    budget_ms: PositiveFloat = Field(
        500, description="Milliseconds that a fragment or page waits for upstreams in all, whatever their deadlines"
    )
    request_s: PositiveFloat = Field(
        10, description="Seconds for a client to send a request; a slower one is let go within twice that"
    )
    max_head_bytes: PositiveInt = Field(65_536, description="Bytes of a request's line and headers, about, at most")


class Visitors(Table):
    """Recognising visitors."""

    cookie: str = Field("tessera_visitor", min_length=1, description="Cookie that carries the signed visitor id")
    cookie_days: PositiveInt = Field(365, description="Days for which that cookie is kept")
    cookie_secure: bool = Field(True, description="Send that cookie over HTTPS only (always off in development)")
    plain_cookie: str | None = Field(
        None,
        description="An existing unsigned cookie to believe as visitor id. Whoever can guess or read another's value "
        "is taken for them, so use it only where the value is long, random and never shown",
    )
    consent_cookie: str = Field("tessera_consent", min_length=1, description="Cookie that carries consent")
    consent_granted: str = Field("granted", min_length=1, description="Value of that cookie which means yes")
    locale_cookie: str = Field("tessera_locale", min_length=1, description="Cookie that carries a chosen locale")


class Rendering(Table):
    """Bounds of one render; a template that exceeds one fails alone."""

    max_steps: PositiveInt = Field(50_000, description="Loop iterations and template steps")
    max_ms: PositiveFloat = Field(250, description="Milliseconds of the processor's time")
    max_output_bytes: PositiveInt = Field(500_000, description="Bytes of HTML")


class Cache(Table):
    """The fragment cache."""

    max_bytes: int = Field(
        64 * 1024 * 1024, ge=0, description="Bytes of fragments held in each process; 0 turns the cache off"
    )
    idle_s: PositiveFloat = Field(
        86_400, description="Seconds for which a fragment that nobody asks for is kept in Redis, where there is one"
    )
    verify_share: float = Field(
        0.0001, ge=0, le=1, description="Share of hits that are rendered again beside the answer and compared with it"
    )


class Redis(Table):
    """Redis or Valkey, which the processes of several machines share. Without it each machine is on its own."""

    url: str | None = Field(
        None, pattern="^(rediss?|unix)://", description="Its address, such as `redis://127.0.0.1:6379/0`"
    )
    deadline_ms: PositiveFloat = Field(20, description="Milliseconds to wait for an answer")


class EdgeServer(Table):
    """The proxy or CDN in front."""

    kind: Kind = Field(
        "generic", description="Whose words are spoken: `generic`, `nginx`, `varnish`, `fastly` or `cloudflare`"
    )


class Downstream(Table):
    """A cache in front that is to be told of purges; a table for each."""

    name: str = Field(pattern="^[a-z0-9-]+$", description="What it is called in reports")
    kind: Literal["varnish", "nginx", "fastly", "cloudflare", "http"] = Field(
        description="What it is: `varnish`, `nginx`, `fastly`, `cloudflare`, or `http` for a service that purges it"
    )
    url: str | None = Field(
        None, pattern="^https?://", description="Address of a `varnish` or `http`; else of the vendor's API"
    )
    folder: Path | None = Field(None, description="Folder of the `proxy_cache_path` of an `nginx`")
    service: str | None = Field(None, pattern="^[A-Za-z0-9]+$", description="Id of the service at `fastly`")
    zone: str | None = Field(None, pattern="^[A-Za-z0-9]+$", description="Id of the zone at `cloudflare`")
    token_variable: str | None = Field(
        None, description="Name of the environment variable with the token for `fastly`, `cloudflare` or `http`"
    )

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needed = {
            "varnish": ("url",),
            "nginx": ("folder",),
            "fastly": ("service", "token_variable"),
            "cloudflare": ("zone", "token_variable"),
            "http": ("url",),
        }
        missing = [name for name in needed[self.kind] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"`{self.kind}` needs {' and '.join(f'`{name}`' for name in missing)}")
        return self


class Http(Table):
    """What is told to browsers and proxies."""

    max_age_s: NonNegativeFloat = Field(
        60, description="Seconds for which a public fragment may be reused downstream, at most"
    )
    stale_s: NonNegativeFloat = Field(
        30, description="Seconds past that for which it may be reused while it is fetched anew, at most"
    )
    grace_s: NonNegativeFloat = Field(
        600, description="Seconds past that for which it may be reused while fetching it fails, at most"
    )
    max_context_age_s: NonNegativeFloat = Field(
        10, description="Seconds for which an edge may go by what `/context/{page}` told of a visitor, at most"
    )
    max_body_bytes: PositiveInt = Field(4096, description="Bytes of a request's body, at most")
    cors_origins: tuple[str, ...] = Field(
        (),
        description="Origins of other sites whose scripts may ask for fragments, with their visitors' cookies, such as "
        "`https://shop.example`; none unless listed",
    )
    frame_ancestors: str = Field(
        "'self'",
        pattern=r"^[!-+\--:<-~]+( [!-+\--:<-~]+)*$",
        description="Who may put pages into a frame, in the words of a Content-Security-Policy",
    )
    referrer_policy: ReferrerPolicy = Field(
        "strict-origin-when-cross-origin", description="What pages let browsers tell other sites of the address"
    )

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("an origin is a scheme and a host, such as `https://shop.example`, and no more")
        return origins


class Upstream(Table):
    """One upstream: how long to wait for it, and how long its answers are good."""

    deadline_ms: PositiveFloat = Field(150, description="Milliseconds to wait for an answer")
    fresh_s: NonNegativeFloat = Field(60, description="Seconds for which an answer is used as it is")
    grace_s: NonNegativeFloat = Field(
        3600, description="Seconds after that for which it stands in where no newer one is to be had"
    )
    stale_s: NonNegativeFloat = Field(
        30,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )
    missing_s: NonNegativeFloat = Field(
        10, description="Seconds for which it is fresh, at most, that there is no such thing"
    )
    retry_ms: NonNegativeFloat = Field(
        300, description="Milliseconds for which something that could not be had is not asked for again"
    )
    max_refreshes: PositiveInt = Field(
        20, description="Calls at one time, at most, for which no answer waits, such as after a purge"
    )
    max_entries: PositiveInt = Field(50_000, description="Answers remembered in each process, at most")
    max_bytes: PositiveInt = Field(64 * 1024 * 1024, description="Bytes of answers remembered in each process, at most")
    breaker_share: float = Field(
        0.5, gt=0, le=1, description="Share of the calls of the last `breaker_s` that must fail for it to be left alone"
    )
    breaker_s: PositiveFloat = Field(
        2, description="Seconds for which it is then left alone, before one call at a time tries it again"
    )

    @property
    def manner(self) -> Manner:
        """How it is asked."""
        return Manner(self.breaker_share, self.breaker_s)


class Service(Upstream):
    """An upstream that some adapter asks; the adapter's own settings stand beside these."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    port: ClassVar[Port]
    adapter: str = Field("sqlite", description="Who asks: one of those in [adapters](adapters.md)")
    max_connections: PositiveInt = Field(
        100, description="Connections to it from each process at one time, at most; other upstreams have their own"
    )
    connect_ms: PositiveFloat = Field(
        100, description="Milliseconds to wait for a connection to it, a free or a new one"
    )
    max_per_s: PositiveFloat | None = Field(
        None, description="Calls a second from each process, at most; beyond that it is not asked"
    )
    hedge_ms: PositiveFloat | None = Field(
        None,
        description="Milliseconds without an answer after which it is asked a second time, where its adapter may be; "
        "the first answer counts",
    )
    hedge_share: float = Field(0.05, gt=0, le=1, description="Share of calls that are made a second time, at most")
    _options: Options = PrivateAttr()

    @property
    def options(self) -> Options:
        """The adapter's own settings."""
        return self._options

    @property
    def manner(self) -> Manner:
        """How it is asked."""
        return Manner(self.breaker_share, self.breaker_s, self.max_per_s, self.hedge_ms, self.hedge_share)

    @model_validator(mode="after")
    def _fits_its_adapter(self) -> Self:
        try:
            adapter = adapter_of(self.port, self.adapter)
            self._options = adapter.Options(**self.model_extra or {})
        except (UnknownAdapter, ImportError) as failure:
            raise ValueError(str(failure)) from None
        except ValidationError as invalid:
            problems = (f"the `{self.adapter}` adapter {_of_adapter(error)}" for error in invalid.errors())
            raise ValueError("; ".join(problems)) from None
        if self.hedge_ms is not None and not getattr(adapter, "idempotent", False):
            raise ValueError(f"`hedge_ms`: the `{self.adapter}` adapter must not ask the same twice; leave it out")
        return self


class Profiles(Service):
    """Visitor profiles."""

    port = "profiles"


class Lists(Service):
    """Lists of items, from a recommender."""

    port = "lists"


class Catalogue(Service):
    """Catalogue items."""

    port = "catalogue"


class Carts(Upstream):
    """Carts, from the embedded store; a cart signed by the shop outranks it."""

    fresh_s: NonNegativeFloat = Field(0, description="Seconds for which a cart is used as it is")
    stale_s: NonNegativeFloat = Field(
        0,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )


class Assignments(Upstream):
    """The arms that visitors of sticky experiments were first shown, from the embedded store."""

    fresh_s: NonNegativeFloat = Field(0, description="Seconds for which an answer is used as it is")
    stale_s: NonNegativeFloat = Field(
        0,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )


class Events(Upstream):
    """What visitors have seen and sent away, from the embedded store."""

    fresh_s: NonNegativeFloat = Field(0, description="Seconds for which an answer is used as it is")
    stale_s: NonNegativeFloat = Field(
        0,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )
    grace_s: NonNegativeFloat = Field(
        0, description="Seconds after that for which it stands in where no newer one is to be had"
    )


class Recording(Table):
    """Recording what slots were decided on, for `tessera diff`."""

    share: float = Field(0.0, ge=0, le=1, description="Share of decisions that are recorded; 0 turns recording off")
    folder: Path = Field(Path(".tessera/recorded"), description="Folder for the recorded files, made if missing")
    max_bytes: PositiveInt = Field(16 * 1024 * 1024, description="Bytes of one file, after which the next is begun")
    files: int = Field(4, ge=2, description="Files kept, the one being written included")


class Settings(BaseSettings):
    """Everything that can be set. Made by `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="TESSERA_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    site: Site = Site()
    server: Server = Server()
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
        None, description="Bearer token of whoever may purge over HTTP; at least 16 characters, without it nobody may"
    )

    @property
    def services(self) -> Sequence[tuple[str, Service]]:
        """The services that adapters ask, each with the table that its settings stand in."""
        return ("profiles", self.profiles), ("lists", self.lists), ("catalogue", self.catalogue)

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
        raise SettingsError([f"{FILE}: {_lower(str(broken))}"]) from broken
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
    reason = _lower(error["msg"].removeprefix("Value error, "))
    if error["type"] == "extra_forbidden":
        reason = "there is no such setting"
    if not place:
        return reason
    quiet = place[0] in SECRETS or error["type"] == "extra_forbidden" or isinstance(error["input"], dict)
    given = "" if quiet else f", not `{error['input']}`"
    return f"`{'.'.join(place)}`: {reason}{given}"


def _of_adapter(error: ErrorDetails) -> str:
    """Say the same of a setting of an adapter's own."""
    name = ".".join(str(part) for part in error["loc"])
    if not name:
        return f"does not take this: {_lower(error['msg'].removeprefix('Value error, '))}"
    if error["type"] == "missing":
        return f"needs a `{name}`"
    if error["type"] == "extra_forbidden":
        return f"has no setting `{name}`"
    return f"does not take `{name}`: {_lower(error['msg'].removeprefix('Value error, '))}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
