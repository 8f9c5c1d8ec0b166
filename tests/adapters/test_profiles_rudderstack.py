"""What is peculiar to RudderStack: feature views, and that 404 says that the settings are wrong."""

import json

import pytest
import respx

from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import Erasing
from tests.adapters.conftest import Make

URL = "https://profiles.rudderstack.com/v2/activation"
upstream = respx.mock(using="httpx", assert_all_called=False)


@upstream
async def test_one_view_may_be_named(make: Make) -> None:
    data = {"a": {"tier": "gold"}, "b": {"tier": "none", "vip": True, "consent": "no"}}
    asked = upstream.post(URL).respond(json={"data": data})
    known = await make("rudderstack", view="b", consent="consent").profile("u1", frozenset({"tier"}))
    assert (known.traits, known.segments) == ({"tier": "none"}, frozenset({"vip"}))
    assert known.consents == {"personalization": "denied"}
    sent = asked.calls.last.request
    assert json.loads(sent.content) == {
        "entity": "user",
        "destinationId": "d1",
        "id": {"type": "user_id", "value": "u1"},
    }
    assert sent.headers["authorization"] == "Bearer s3cret"


@upstream
async def test_a_wrong_destination_is_no_missing_profile(make: Make) -> None:
    upstream.post(URL).respond(404, json={"error": "no such destination"})
    with pytest.raises(SourceGarbled, match="status 404"):
        await make("rudderstack").profile("u1", frozenset())


@upstream
@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_visitor_is_erased_with_the_body_that_asks_for_them(make: Make, status: int) -> None:
    asked = upstream.delete(URL).respond(status, text="deleted")
    adapter = make("rudderstack")
    assert isinstance(adapter, Erasing)
    await adapter.erase("u1")
    sent = asked.calls.last.request
    assert json.loads(sent.content)["id"] == {"type": "user_id", "value": "u1"}
    assert sent.headers["authorization"] == "Bearer s3cret"


@upstream
async def test_a_wrong_destination_is_no_erasure(make: Make) -> None:
    upstream.delete(URL).respond(404)
    adapter = make("rudderstack")
    assert isinstance(adapter, Erasing)
    with pytest.raises(SourceGarbled, match="status 404"):
        await adapter.erase("u1")
