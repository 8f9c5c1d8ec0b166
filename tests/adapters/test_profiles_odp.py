"""What is peculiar to Optimizely's ODP: one query in GraphQL, in which nothing of a visitor's is ever written."""

import json

import httpx
import respx

from tessera.renderer.core.ports import Profile
from tests.adapters.conftest import Make
from tests.adapters.vendors import NO_CUSTOMER, ODP

upstream = respx.mock(using="httpx", assert_all_called=False)


@upstream
async def test_ids_and_audiences_are_variables(make: Make) -> None:
    asked = upstream.post("https://api.zaius.com/v3/graphql").respond(json=ODP)
    await make("odp", identifier="vuid").profile('x") {y', frozenset({"tier"}))
    sent = json.loads(asked.calls.last.request.content)
    assert sent == {
        "query": "query($id: String, $audiences: [String]) {customer(vuid: $id) {first_name "
        "audiences(subset: $audiences) {edges {node {name state}}}}}",
        "variables": {"id": 'x") {y', "audiences": ["has_bought", "lapsed"]},
    }
    assert asked.calls.last.request.headers["x-api-key"] == "s3cret"


@upstream
async def test_only_attributes_that_are_wanted_are_asked_for(make: Make) -> None:
    asked = upstream.post("https://eu.example/v3/graphql").respond(json=ODP)
    await make("odp", url="https://eu.example/").profile("u1", frozenset())
    assert "first_name" not in json.loads(asked.calls.last.request.content)["query"]


@upstream
async def test_an_unknown_visitor_may_come_with_status_400(make: Make) -> None:
    upstream.post("https://api.zaius.com/v3/graphql").mock(return_value=httpx.Response(400, json=NO_CUSTOMER))
    assert await make("odp").profile("u1", frozenset()) == Profile(status="missing")
