"""`POST /fragments`: many fragments in one request, each answered as if it had been asked for alone.

What they need of the same upstream is asked for once, as concurrent requests always share their calls.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from html import escape
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from tessera.renderer.respond import NO_SNIFFING, Headers, Response

MAX_FRAGMENTS = 50
MAX_BODY_BYTES = 65_536
BOUNDARY_BYTES = 12
NAME = r"^[\w.-]+$"

Form = Literal["json", "multipart", "hx-partial", "turbo-stream", "template"]

TYPES: dict[Form, bytes] = {
    "json": b"application/json",
    "multipart": b"multipart/mixed",
    "hx-partial": b"text/html; charset=utf-8",
    "turbo-stream": b"text/vnd.turbo-stream.html; charset=utf-8",
    "template": b"text/html; charset=utf-8",
}
LINES = b"application/x-ndjson"


class Wanted(BaseModel):
    """One fragment. `target` is the id of the element that it is for, where the form names one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: str = Field(max_length=200, pattern=NAME)
    slot: str = Field(max_length=200, pattern=NAME)
    params: dict[str, str] = {}
    visitor: str | None = Field(None, max_length=200)
    etag: str | None = Field(None, max_length=200)
    target: str | None = Field(None, max_length=200)

    @property
    def element(self) -> str:
        """The id of the element that it is for."""
        return self.target or f"{self.page}-{self.slot}"


class Batch(BaseModel):
    """What is asked for: some fragments, in one form, all at once or, streamed, each as soon as it is ready."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fragments: tuple[Wanted, ...] = Field(max_length=MAX_FRAGMENTS)
    form: Form = Field("json", alias="as")
    stream: bool = False
    _boundary: str = PrivateAttr(default_factory=lambda: secrets.token_hex(BOUNDARY_BYTES))

    @property
    def boundary(self) -> bytes:
        """What parts multipart: drawn for each batch, so that no data can forge a part (RFC 2046, section 5.1.1)."""
        return self._boundary.encode()

    @property
    def content_type(self) -> bytes:
        """The type of the whole."""
        if self.form == "multipart":
            return TYPES[self.form] + b"; boundary=" + self.boundary
        return LINES if self.stream and self.form == "json" else TYPES[self.form]

    @property
    def end(self) -> bytes:
        """What ends the whole."""
        return b"--%s--\r\n" % self.boundary if self.form == "multipart" else b""


class BadBatch(ValueError):
    """The body is no batch; the message says why, without repeating it."""


def read_batch(body: bytes) -> Batch:
    """Read a body. Raises `BadBatch`."""
    try:
        return Batch.model_validate_json(body)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise BadBatch(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None


Ask = Callable[[Wanted], Awaitable[Response]]


async def answer_batch(batch: Batch, ask: Ask) -> Response:
    """Answer with all of the fragments, in the order in which they were asked for."""
    answers = await asyncio.gather(*(ask(each) for each in batch.fragments))
    written = [_written(batch, wanted, answer) for wanted, answer in zip(batch.fragments, answers, strict=True)]
    body = b'{"fragments":[%s]}' % b",".join(written) if batch.form == "json" else b"".join(written)
    body += batch.end
    length = (b"content-length", b"%d" % len(body))
    return Response(200, [(b"content-type", batch.content_type), length, *shared_by_all(answers), NO_SNIFFING], body)


async def stream_batch(batch: Batch, ask: Ask) -> AsyncIterator[bytes]:
    """Yield each fragment as soon as it is ready: of JSON a line each, of the other forms a part each."""

    async def told(wanted: Wanted) -> bytes:
        written = _written(batch, wanted, await ask(wanted))
        return written + b"\n" if batch.form == "json" else written

    for ready in asyncio.as_completed([told(wanted) for wanted in batch.fragments]):
        yield await ready
    yield batch.end


def shared_by_all(answers: Sequence[Response]) -> Headers:
    """Return the caching of the whole: that of the narrowest, where all are public the shortest, else nobody's."""
    told = [dict(answer.headers).get(b"cache-control", b"no-store") for answer in answers]
    lifetimes = [int(each.split(b",")[1].partition(b"=")[2]) for each in told if each.startswith(b"public, max-age=")]
    if told and len(lifetimes) == len(told):
        return [(b"cache-control", b"public, max-age=%d" % min(lifetimes))]
    return [(b"cache-control", b"private, no-store")]


def _written(batch: Batch, wanted: Wanted, answer: Response) -> bytes:
    """Write one answer. Forms that have no place for a status leave out what is no new fragment."""
    element = escape(wanted.element).encode()
    if answer.status != HTTPStatus.OK and batch.form not in ("json", "multipart"):
        return b""
    match batch.form:
        case "json":
            return _as_json(wanted, answer)
        case "multipart":
            named = [(b"content-location", f"/fragments/{wanted.page}/{wanted.slot}".encode("ascii", "replace"))]
            lines = [b"%s: %s\r\n" % header for header in [(b"status", b"%d" % answer.status), *named, *answer.headers]]
            return b"--%s\r\n%s\r\n%s\r\n" % (batch.boundary, b"".join(lines), answer.body)
        case "hx-partial":
            return b'<hx-partial hx-target="#%s">%s</hx-partial>\n' % (element, answer.body)
        case "turbo-stream":
            return b'<turbo-stream action="update" target="%s"><template>%s</template></turbo-stream>\n' % (
                element,
                answer.body,
            )
        case "template":
            return b'<template for="%s">%s</template>\n' % (element, answer.body)


def _as_json(wanted: Wanted, answer: Response) -> bytes:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    told = {"page": wanted.page, "slot": wanted.slot, "status": answer.status, "headers": headers}
    if wanted.visitor is not None:
        told["visitor"] = wanted.visitor
    return json.dumps({**told, "body": answer.body.decode()}, ensure_ascii=False, separators=(",", ":")).encode()
