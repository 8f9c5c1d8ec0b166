"""Caches downstream as their vendors have them: what is sent, and what a refusal says."""

import json
from pathlib import Path

import httpx
import pytest
import respx

from tessera.adapters import purging
from tessera.adapters.client import Client
from tessera.adapters.downstream import DOWNSTREAM, Reach
from tessera.adapters.downstream_nginx import NginxDownstream
from tessera.renderer.core.errors import Unpurged
from tessera.renderer.core.ports import Downstream
from tests.support.vendors import PATIENCE_S

A_DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
LABELS = ["item:*", "item:T-1"]
edge = respx.mock(using="httpx", assert_all_called=False)

ADDRESSES = {
    "varnish": "http://varnish.example:6081",
    "fastly": "https://api.fastly.com/service/SERVICE/purge",
    "cloudflare": "https://api.cloudflare.com/client/v4/zones/ZONE/purge_cache",
    "http": "https://purger.example/all",
}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "DEADLINE_S", PATIENCE_S)


def of(kind: str, client: Client) -> Downstream:
    url = ADDRESSES[kind] if kind in ("varnish", "http") else None
    return DOWNSTREAM[kind](Reach(client, {"url": url, "service": "SERVICE", "zone": "ZONE"}, "s3cret"))


@pytest.mark.parametrize("hard", [False, True])
@edge
async def test_varnish_is_sent_keys_in_a_header(client: Client, hard: bool) -> None:
    route = edge.route(method="PURGE", url=ADDRESSES["varnish"]).respond(200)
    await of("varnish", client).purge(LABELS, hard=hard)
    sent = route.calls.last.request.headers
    assert (sent.get("xkey-purge"), sent.get("xkey-softpurge")) == (
        ("item:* item:T-1", None) if hard else (None, "item:* item:T-1")
    )


@pytest.mark.parametrize("hard", [False, True])
@edge
async def test_fastly_is_sent_surrogate_keys(client: Client, hard: bool) -> None:
    route = edge.post(ADDRESSES["fastly"]).respond(json={})
    await of("fastly", client).purge(LABELS, hard=hard)
    request = route.calls.last.request
    assert json.loads(request.content) == {"surrogate_keys": LABELS}
    assert (request.headers["fastly-key"], request.headers.get("fastly-soft-purge")) == (
        "s3cret",
        None if hard else "1",
    )


@edge
async def test_cloudflare_is_sent_tags(client: Client) -> None:
    route = edge.post(ADDRESSES["cloudflare"]).respond(json={"success": True})
    await of("cloudflare", client).purge(LABELS, hard=True)
    request = route.calls.last.request
    assert json.loads(request.content) == {"tags": LABELS}
    assert request.headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("body", [b'{"success": false}', b"[]", b"<html>"])
@edge
async def test_cloudflare_has_to_say_that_it_was_done(client: Client, body: bytes) -> None:
    edge.post(ADDRESSES["cloudflare"]).respond(200, content=body)
    with pytest.raises(Unpurged):
        await of("cloudflare", client).purge(LABELS, hard=True)


@edge
async def test_a_service_of_the_sites_own_is_told_all(client: Client) -> None:
    route = edge.post(ADDRESSES["http"]).respond(204)
    await of("http", client).purge(LABELS, hard=False)
    request = route.calls.last.request
    assert json.loads(request.content) == {"labels": LABELS, "hard": False}
    assert request.headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("kind", ADDRESSES)
@pytest.mark.parametrize(
    ("reply", "said", "retry_after_s"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), "answered with status 429", 7.0),
        (
            httpx.Response(503, headers={"retry-after": "Mon, 23 Nov 2026 10:00:00 GMT"}),
            "answered with status 503",
            0.0,
        ),
        (httpx.Response(302), "answered with status 302", None),
        (httpx.ConnectError("s3cret"), "cannot be reached (ServerDisconnectedError)", None),
    ],
)
@edge
async def test_a_refusal_says_why_and_until_when(
    client: Client, kind: str, reply: httpx.Response | Exception, said: str, retry_after_s: float | None
) -> None:
    edge.route(url=ADDRESSES[kind]).mock(side_effect=reply if isinstance(reply, Exception) else [reply])
    with pytest.raises(Unpurged) as refused:
        await of(kind, client).purge(LABELS, hard=False)
    assert (str(refused.value), refused.value.retry_after_s) == (said, retry_after_s)


@pytest.mark.parametrize("kind", ADDRESSES)
@edge
async def test_silence_is_no_purge_either(client: Client, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(purging, "DEADLINE_S", 0.05)
    edge.route(url=ADDRESSES[kind]).mock(side_effect=httpx.ReadTimeout("s3cret"))
    with pytest.raises(Unpurged) as refused:
        await of(kind, client).purge(LABELS, hard=False)
    assert (str(refused.value), refused.value.retry_after_s) == ("no reply in 0.05 s", None)


async def test_nginx_loses_the_files_that_carry_a_label_and_no_others(tmp_path: Path) -> None:
    head = b"\x05\x00binary\nKEY: /fragments/home/rail?\nHTTP/1.1 200 OK\r\nSurrogate-Key: %s\r\n\r\n%s"
    files = {
        "one": head % (b"everything item:T-1", b""),
        "other": head % (b"everything item:T-10", b"\r\nSurrogate-Key: item:T-1\r\n"),
        "bald": b"HTTP/1.1 200 OK\r\n\r\nSurrogate-Key: item:T-1",
    }
    for name, content in files.items():
        (tmp_path / name[-1]).mkdir()
        (tmp_path / name[-1] / name).write_bytes(content)  # as with `levels=1`
    await NginxDownstream(folder=tmp_path).purge(["item:T-1"], hard=False)
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {"other", "bald"}


async def test_nginx_without_its_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unpurged, match="there is no folder"):
        await NginxDownstream(folder=tmp_path / "fragments").purge(["item:T-1"], hard=False)
