"""What is peculiar to mParticle: a token that is fetched once and renewed ahead, opt-outs, numbers as text."""

import asyncio
import json

import httpx
import pytest
import respx

from tessera.adapters.tokens import Token, Tokens
from tessera.renderer.core.errors import SourceGarbled, SourceUnavailable
from tests.adapters.conftest import Make
from tests.adapters.vendors import LOGIN, MPARTICLE, TOKEN

API = "https://api.mparticle.com/userprofile/v1/"
upstream = respx.mock(using="httpx", assert_all_called=False)


@upstream
async def test_a_token_is_fetched_once_for_all(make: Make) -> None:
    login = upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
    asked = upstream.post(url__startswith=API).respond(json=MPARTICLE)
    profiles = make("mparticle")
    visitors = {f"u{n}" for n in range(5)}
    await asyncio.gather(*(profiles.profile(each, frozenset()) for each in visitors))
    assert login.call_count == 1
    assert json.loads(login.calls.last.request.content)["client_secret"] == "s3cret"
    sent = [call.request for call in asked.calls]
    assert {each.headers["authorization"] for each in sent} == {"Bearer t0ken"}
    assert {each.url.path for each in sent} == {"/userprofile/v1/resolve/1/2/3"}
    identities = [json.loads(each.content)["identity"] for each in sent]
    assert {each["type"] for each in identities} == {"customer_id"}
    assert sorted(each["value"] for each in identities) == sorted(visitors)


@upstream
async def test_its_own_id_is_asked_for_directly(make: Make) -> None:
    upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
    asked = upstream.get(url__startswith=API).respond(json=MPARTICLE)
    await make("mparticle", identity="mpid").profile("908/1", frozenset())
    assert b"/1/2/3/908%2F1?fields=" in asked.calls.last.request.url.raw_path


@upstream
async def test_a_token_that_is_refused_is_renewed_once(make: Make) -> None:
    login = upstream.post(url__startswith=LOGIN).mock(
        side_effect=[httpx.Response(200, json={**TOKEN, "access_token": name}) for name in ("old", "new", "newer")]
    )
    asked = upstream.post(url__startswith=API).mock(
        side_effect=lambda request: httpx.Response(
            200 if request.headers["authorization"] == "Bearer new" else 401, json=MPARTICLE
        )
    )
    profiles = make("mparticle")
    assert (await profiles.profile("u1", frozenset({"tier"}))).traits == {"tier": "gold"}
    assert (login.call_count, asked.call_count) == (2, 2)


@upstream
async def test_credentials_that_are_refused_are_not_tried_for_ever(make: Make) -> None:
    upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
    asked = upstream.post(url__startswith=API).respond(401)
    with pytest.raises(SourceGarbled, match="status 401"):
        await make("mparticle").profile("u1", frozenset())
    assert asked.call_count == 2


@upstream
async def test_a_wrong_request_is_no_missing_profile(make: Make) -> None:
    upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
    upstream.post(url__startswith=API).respond(400, text="the field `fields` is missing")
    with pytest.raises(SourceGarbled, match="status 400"):
        await make("mparticle").profile("u1", frozenset())


@upstream
async def test_a_membership_that_is_null_is_none(make: Make) -> None:
    upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
    upstream.post(url__startswith=API).respond(json={**MPARTICLE, "audience_memberships": [None]})
    assert (await make("mparticle").profile("u1", frozenset())).segments == frozenset()


@upstream
async def test_who_opted_out_has_denied_consent(make: Make) -> None:
    upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
    upstream.post(url__startswith=API).respond(json={**MPARTICLE, "is_opted_out": True})
    assert (await make("mparticle").profile("u1", frozenset())).consents == {"personalization": "denied"}


@upstream
@pytest.mark.parametrize("token", [{}, {"access_token": 7, "expires_in": 1}, {"access_token": "x"}, []])
async def test_a_login_without_a_token_is_garbled(make: Make, token: object) -> None:
    upstream.post(url__startswith=LOGIN).respond(json=token)
    with pytest.raises(SourceGarbled):
        await make("mparticle").profile("u1", frozenset())


class Login:
    """A login whose answers wait until they are let through."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.calls = 0
        self.open = asyncio.Event()
        self.open.set()
        self.failing = False
        self.tokens = Tokens("profile", self.fetch, lambda: self.now_s)

    async def fetch(self) -> Token:
        self.calls += 1
        call = self.calls
        await self.open.wait()
        if self.failing:
            raise SourceUnavailable("profile", "no login")
        return Token(f"t{call}", 100.0)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_token_is_renewed_behind_the_calls_before_it_ends() -> None:
    login = Login()
    assert await login.tokens.get() == "t1"
    login.now_s = 79
    assert await login.tokens.get() == "t1"
    await settled()
    assert login.calls == 1
    login.now_s = 80
    login.open.clear()
    assert [await login.tokens.get() for _ in range(3)] == ["t1", "t1", "t1"]
    login.open.set()
    await settled()
    assert await login.tokens.get() == "t2"
    assert login.calls == 2


async def test_a_login_outlives_whoever_gives_up_waiting_for_it() -> None:
    login = Login()
    login.open.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await login.tokens.get()
    login.open.set()
    assert await login.tokens.get() == "t1"
    assert login.calls == 1


async def test_a_login_that_fails_is_left_alone_for_a_moment() -> None:
    login = Login()
    login.failing = True
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            await login.tokens.get()
    assert login.calls == 1
    login.failing, login.now_s = False, 1.5
    assert await login.tokens.get() == "t2"


async def test_a_renewal_that_fails_leaves_the_token_as_it_is() -> None:
    login = Login()
    await login.tokens.get()
    login.failing, login.now_s = True, 90
    assert await login.tokens.get() == "t1"
    await settled()
    assert await login.tokens.get() == "t1"
    assert login.calls == 2
    login.now_s = 101
    with pytest.raises(SourceUnavailable):
        await login.tokens.get()


async def test_an_end_gives_up_the_login_that_is_under_way() -> None:
    login = Login()
    login.open.clear()
    waiting = asyncio.ensure_future(login.tokens.get())
    await settled()
    await login.tokens.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
