"""The tables of `tessera.toml` that say how Tessera serves. `docs/operating.md` lists each setting with its meaning."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from tessera.renderer.edge import Kind

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
    max_in_flight: PositiveInt = Field(
        1000, description="Fragments and pages that each process answers at a time; beyond that it sheds load"
    )


class Admin(Table):
    """The administrative routes, below `/-/`."""

    host: str = Field("127.0.0.1", description="Address to listen on for them, where they have a port")
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port on which alone they are answered; without one, on the others' for whoever has the token",
    )


class Telemetry(Table):
    """What the server tells of its work."""

    logs: Literal["text", "json"] = Field("text", description="Log lines for people, or JSON objects, one a line")
    server_timing: bool = Field(
        False, description="Tell with each answer how long its stages took, as is always done in development"
    )
    traces: bool = Field(False, description="Tell OpenTelemetry of each request and its stages")

    @field_validator("traces")
    @classmethod
    def _they_can_be_told(cls, wanted: bool) -> bool:
        if wanted and (find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None):
            raise ValueError("traces need more: `pip install tessera[traces]`")
        return wanted


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
    content_policy: bool = Field(
        False,
        description="Let pages run only the scripts, and load only the style sheets, that stand in their templates "
        "or are named there, by a Content-Security-Policy",
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


class Recording(Table):
    """Recording what slots were decided on, for `tessera diff`."""

    share: float = Field(0.0, ge=0, le=1, description="Share of decisions that are recorded; 0 turns recording off")
    folder: Path = Field(Path(".tessera/recorded"), description="Folder for the recorded files, made if missing")
    max_bytes: PositiveInt = Field(16 * 1024 * 1024, description="Bytes of one file, after which the next is begun")
    files: int = Field(4, ge=2, description="Files kept, the one being written included")
