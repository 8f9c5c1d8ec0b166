"""What is peculiar to Segment: pages of traits, ids in lower case, audiences told from traits."""

from base64 import b64encode

import httpx
import pytest
import respx

from tessera.renderer.core.ports import Profile
from tests.adapters.conftest import Make

HOST = "https://profiles.segment.com/v1/spaces/lg82/"
TRAITS = frozenset({"tier", "ltv"})
upstream = respx.mock(using="httpx", assert_all_called=False)


def page(request: httpx.Request) -> httpx.Response:
    """Two pages of audiences, and two of the traits that were asked for by name."""
    asked = request.url.params
    traits, second = {"vip": True, "lapsed": False}, {"big_spender": True}
    if "include" in asked:
        assert asked["include"] == "ltv,tier"
        assert "class" not in asked
        traits, second = {"tier": "gold"}, {"ltv": 9}  # type: ignore[dict-item]
    cursor = {"has_more": "next" not in asked, "next": "" if "next" in asked else "a b&limit=1"}
    return httpx.Response(200, json={"traits": second if "next" in asked else traits, "cursor": cursor})


@upstream
async def test_pages_are_followed(make: Make) -> None:
    route = upstream.get(url__startswith=HOST).mock(side_effect=page)
    known = await make("segment", audiences={"spender": "big_spender"}).profile("u1", TRAITS)
    assert known == Profile({"tier": "gold", "ltv": 9}, frozenset({"vip", "spender"}), ids={"user_id": "u1"})
    assert route.call_count == 4
    assert {call.request.url.params["limit"] for call in route.calls} == {"100"}


@upstream
async def test_pages_without_an_end_are_followed_so_far_and_no_farther(make: Make) -> None:
    endless = {"traits": {"vip": True}, "cursor": {"has_more": True, "next": "again"}}
    route = upstream.get(url__startswith=HOST).respond(json=endless)
    known = await make("segment").profile("u1", frozenset())
    assert (known.status, known.segments) == ("partial", frozenset({"vip"}))
    assert route.call_count == 20


@upstream
async def test_an_id_is_sent_in_lower_case_and_a_plus_as_a_code(make: Make) -> None:
    route = upstream.get(url__startswith="https://profiles.euw1.segment.com/").respond(404)
    await make("segment", region="eu", id_type="shop_id").profile("Ann+1", TRAITS)
    sent = route.calls.last.request
    assert b"/collections/users/profiles/shop_id:ann%2B1/traits?" in sent.url.raw_path
    assert sent.headers["authorization"] == "Basic " + b64encode(b"s3cret:").decode()


@upstream
@pytest.mark.parametrize(
    ("said", "consents"),
    [
        (True, {"personalization": "granted"}),
        ("Granted", {"personalization": "granted"}),
        (False, {"personalization": "denied"}),
        ("maybe", {"personalization": "denied"}),
        (None, {}),
    ],
)
async def test_consent_is_a_trait(make: Make, said: object, consents: object) -> None:
    route = upstream.get(url__startswith=HOST).respond(json={"traits": {"consent": said, "tier": "gold"}})
    known = await make("segment", consent="consent").profile("u1", TRAITS)
    assert known.consents == consents
    assert known.traits == {"tier": "gold"}
    assert any(call.request.url.params.get("include") == "consent,ltv,tier" for call in route.calls)
