"""What is peculiar to Unomi: a text or a list, consent by key, and that to ask is to create."""

import json

import pytest
import respx

from tests.adapters.conftest import Make
from tests.adapters.vendors import UNOMI

URL = "https://unomi.example/cxs/context.json"
upstream = respx.mock(using="httpx", assert_all_called=False)


@upstream
async def test_it_is_asked_for_the_traits_of_one_visitor_in_one_session(make: Make) -> None:
    asked = upstream.post(url__startswith=URL).respond(json=UNOMI)
    profiles = make("unomi", key_variable="VENDOR_TOKEN")
    for _ in range(2):
        await profiles.profile("a&b", frozenset({"tier", "ltv"}))
    sent = asked.calls.last.request
    assert sent.url.query == b"sessionId=a%26b"
    assert sent.headers["x-unomi-api-key"] == "s3cret"
    body = json.loads(sent.content)
    assert body["profileId"] == body["sessionId"] == "a&b"
    assert body["requiredProfileProperties"] == ["ltv", "tier"]
    assert asked.calls[0].request.content == sent.content


@upstream
@pytest.mark.parametrize(
    ("said", "segments"), [("vip", {"vip"}), (["vip", "x"], {"vip", "x"}), ([], set()), (None, set())]
)
async def test_segments_are_a_list_or_a_text(make: Make, said: object, segments: set[str]) -> None:
    upstream.post(url__startswith=URL).respond(json={**UNOMI, "profileSegments": said})
    assert (await make("unomi").profile("u1", frozenset())).segments == segments


@upstream
@pytest.mark.parametrize(
    ("more", "consents"),
    [
        ({"consents": {"shop/personalization": {"status": "DENIED"}}}, {"personalization": "denied"}),
        ({"consents": {"shop/personalization": {"status": "REVOKED"}}}, {"personalization": "denied"}),
        ({"consents": {"shop/newsletter": {"status": "DENIED"}}}, {}),
        ({"consents": None}, {}),
        ({"anonymousBrowsing": True}, {"personalization": "denied"}),
    ],
)
async def test_consent_is_what_its_key_says(make: Make, more: dict[str, object], consents: object) -> None:
    upstream.post(url__startswith=URL).respond(json={**UNOMI, **more})
    assert (await make("unomi").profile("u1", frozenset())).consents == consents
