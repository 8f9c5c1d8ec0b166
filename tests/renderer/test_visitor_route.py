"""`POST /visitor`: an id for whoever consents, and for nobody else."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from tests.support.client import Client, client_of
from tests.support.fakes import World
from tests.support.sites import write_site

PAGE = "page: home\nslots:\n  hero: {default: {template: hero.jinja}}\n"
CONSENT = {"cookie": "tessera_consent=granted"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {"hero.jinja": "{{ visitor.known }}"})
    async with client_of(folder, World()) as client:
        yield client


async def test_a_consenting_visitor_gets_a_random_signed_id(client: Client) -> None:
    seen = set()
    for _ in range(5):
        reply = await client.http.post("/visitor", headers=CONSENT)
        assert (reply.status_code, reply.headers["cache-control"]) == (204, "no-store")
        (cookie,) = SimpleCookie(reply.headers["set-cookie"]).values()
        assert cookie.key == "tessera_visitor"
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (True, True, "lax", "/")
        assert len(cookie.value.rpartition(".")[0]) >= 22
        known = {"cookie": f"{CONSENT['cookie']}; tessera_visitor={cookie.value}"}
        assert (await client.http.get("/fragments/home/hero", headers=known)).text == "True"
        seen.add(cookie.value)
        client.http.cookies.clear()
    assert len(seen) == 5


async def test_whoever_has_an_id_keeps_it(client: Client) -> None:
    reply = await client.http.post("/visitor", headers=client.headers("ann"))
    assert reply.status_code == 204
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "headers",
    [{}, {"cookie": "tessera_consent=denied"}, {**CONSENT, "sec-gpc": "1"}, {**CONSENT, "user-agent": "Googlebot/2.1"}],
)
async def test_without_consent_there_is_no_id(client: Client, headers: dict[str, str]) -> None:
    reply = await client.http.post("/visitor", headers=headers)
    assert (reply.status_code, reply.json()) == (403, {"error": "consent is needed first"})
    assert "set-cookie" not in reply.headers
