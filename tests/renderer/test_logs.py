"""What is logged: which request it was, and nothing of whoever sent it."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import respx
from httpx import Response

from tessera.adapters.client import get_json
from tessera.renderer.core.carried import REQUEST
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import Profile
from tessera.renderer.logs import QUIET_S, Json, Quiet, Repeated, set_up_logs
from tests.support.client import EDGE_SECRET, client_of, settings_for_tests
from tests.support.fakes import World, item
from tests.support.sites import write_site
from tests.support.vendors import behind_a_socket

upstream = respx.mock(using="httpx", assert_all_called=False)
WHO = "maren.berg@example.com"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged, at every level, as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Json(EDGE_SECRET))
    handler.addFilter(lambda record: record.name != "httpx")  # the test's own client
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def read(written: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    told = "{{ visitor.first_name | divided_by: 0 }}{{ visitor.id }}"
    rules = """
    page: home
    params: {q: {type: string}, n: {type: integer}}
    slots:
      hero:
        default: {template: hero.liquid}
        rules: [{name: Gold, when: visitor.tier == "gold", show: {template: gold.jinja}}]
      money: {default: {template: money.jinja}}
      date: {default: {template: date.liquid}}
      rail: {default: {template: rail.liquid, items: mine}}
    """
    templates = {
        "hero.liquid": told,
        "gold.jinja": "{{ visitor.first_name % 3 }}{{ visitor.first_name | round }}",
        "money.jinja": "{{ visitor.first_name | money(locale) }}",
        "date.liquid": "{{ visitor.first_name | date: visitor.first_name, locale, visitor.first_name }}",
        "rail.liquid": "{% for item in items %}{{ item.title | money: visitor.first_name }}{% endfor %}",
    }
    return write_site(tmp_path, {"home.yaml": rules}, templates)


async def test_no_line_holds_what_a_visitor_sent_or_is(site: Path, lines: io.StringIO) -> None:
    world = World(
        profiles={WHO: Profile({"first_name": WHO, "secret": WHO, "tier": WHO})},
        lists={WHO: ["A"], "popular": ["A"]},
        catalogue={"A": item("A", WHO)},
    )
    sent = {"referer": WHO, "user_agent": WHO, "x_request_id": WHO, "accept_language": WHO, "x_tessera_cart": WHO}
    async with client_of(site, world) as client:
        for slot in ("hero", "money", "date", "rail", WHO):
            for failing in (None, "profile", "items"):
                world.failing = {failing: SourceUnavailable(failing, "away")} if failing else {}
                reply = await client.get(f"/fragments/home/{slot}?q={WHO}&n={WHO}", WHO, **sent)
                assert reply.status_code in (200, 404)
        world.failing = {"profile": RuntimeError(WHO), "exposures": SourceUnavailable("exposures", "away")}  # type: ignore[dict-item]
        assert (await client.get("/fragments/home/money", WHO + "2", **sent)).status_code == 200
        for path in ("/visitor", "/exposures", "/events", "/fragments"):
            await client.http.post(path, content=f'{{"experiment": "{WHO}", "fragments": "{WHO}"}}', headers=sent)
    said = read(lines)
    assert len(said) > 5
    assert any("RuntimeError" in line.get("error", "") for line in said)
    assert "maren" not in lines.getvalue()


async def test_a_line_says_which_request_it_belongs_to(site: Path, lines: io.StringIO) -> None:
    world = World(failing={"items": SourceUnavailable("items", "away")})
    believed = {"x_request_id": "0123456789abcdef", "x_tessera_edge_secret": EDGE_SECRET, "traceparent": TRACE}
    async with client_of(site, world) as client:
        await client.get("/fragments/home/rail", "ann", **believed)
        first = read(lines)[0]
        assert (first["request_id"], first["trace_id"]) == ("0123456789abcdef", TRACE.split("-")[1])
        lines.truncate(0)
        lines.seek(0)
        await client.get("/fragments/home/rail", "ann", x_request_id="0123456789abcdef")
        await client.get("/fragments/home/rail", "ann", x_request_id="0123456789abcdef")
        names = [line["request_id"] for line in read(lines)]
        assert "0123456789abcdef" not in names
        assert len(set(names)) == 2


@upstream
@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ({b"traceparent": TRACE.encode(), b"tracestate": b"a=1"}, {"traceparent": TRACE, "tracestate": "a=1"}),
        ({b"traceparent": b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01"}, {}),
        ({b"traceparent": WHO.encode(), b"tracestate": b"a=1"}, {}),
        ({}, {}),
    ],
)
async def test_the_trace_goes_on_upstream(sent: dict[bytes, bytes], passed: dict[str, str]) -> None:
    route = upstream.get("http://up/").mock(Response(200, json={}))
    held = REQUEST.set({"headers": list(sent.items())})
    try:
        async with behind_a_socket() as client:
            await get_json(client, "profile", "http://up/", None)
    finally:
        REQUEST.reset(held)
    headers = route.calls.last.request.headers
    assert {name: headers[name] for name in ("traceparent", "tracestate") if name in headers} == passed


@pytest.mark.parametrize(("logs", "mode", "form"), [("json", "production", Json), ("text", "production", Quiet)])
def test_settings_choose_the_form(logs: str, mode: str, form: type) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        set_up_logs(settings_for_tests(telemetry={"logs": logs}, server={"mode": mode}))
        assert type(root.handlers[0].formatter) is form
    finally:
        root.handlers[:], root.level = before[0], before[1]


def test_what_was_said_is_not_said_again_for_a_while_and_then_counted() -> None:
    now, said = [0.0], io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(Repeated(lambda: now[0]))
    log = logging.Logger("test")  # of this test alone
    log.addHandler(handler)
    for now[0], slot in ((0.0, "a"), (1.0, "a"), (2.0, "b"), (QUIET_S - 0.1, "a"), (QUIET_S, "a"), (2 * QUIET_S, "a")):
        log.warning("home/%s: it is down", slot)
    assert said.getvalue().splitlines() == [
        "home/a: it is down",
        "home/b: it is down",
        "home/a: it is down (and 2 times more since it was last said)",
        "home/a: it is down",
    ]


def test_what_cannot_be_told_apart_is_bounded() -> None:
    repeated = Repeated()
    for number in range(5_000):
        assert repeated.filter(logging.makeLogRecord({"msg": f"object at 0x{number:x}"}))
    assert len(repeated._said) <= 1_000
