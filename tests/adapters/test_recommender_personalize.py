"""Amazon Personalize: signed as botocore signs, and what is made of each shape of reply."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import respx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tessera.adapters.client import Client
from tessera.adapters.recommender_personalize import PersonalizeOptions, PersonalizeRecommender
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended
from tests.support.reach import reach_of
from tests.support.vendors import WITHIN, body_of

URL = "https://personalize-runtime.eu-central-1.amazonaws.com/recommendations"
ARN = "arn:aws:personalize:eu-central-1:1:"
ARNS = {
    "personal": ARN + "campaign/mine",
    "popular": ARN + "recommender/top",
    "related": ARN + "campaign/near",
    "category": ARN + "recommender/top",
}
FILTER = ARN + "filter/category"
PERSONAL = ListQuery("personal", 3, WITHIN)
REPLY = {
    "itemList": [
        {"itemId": "a", "score": 0.012, "reason": ["Because of tents", "more"], "metadata": {"TITLE": "Tent"}},
        {"itemId": "b"},
        {"itemId": "b", "score": 1},
        {"score": 1},
    ],
    "recommendationId": "RID-1",
}

upstream = respx.mock(using="httpx", assert_all_called=False)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def recommender(client: Client, **settings: object) -> PersonalizeRecommender:
    options = {"region": "eu-central-1", "arns": ARNS, **settings}
    return PersonalizeRecommender(PersonalizeOptions.model_validate(options), reach_of(client))


@upstream
async def test_items_come_in_order_with_what_is_told_of_them(client: Client) -> None:
    upstream.post(URL).respond(json=REPLY)
    found = await recommender(client, fields={"title": "TITLE"}).items(PERSONAL)
    assert found == Recommendations(
        (
            Recommended("a", 0.012, {"title": "Tent"}, "Because of tents", "RID-1"),
            Recommended("b", None, {"title": None}, None, "RID-1"),
        )
    )


@upstream
async def test_a_request_is_signed_as_botocore_signs_it(client: Client) -> None:
    route = upstream.post(URL).respond(json=REPLY)
    await recommender(client).items(PERSONAL)
    sent = route.calls.last.request
    at = datetime.strptime(sent.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60

    signer = SigV4Auth(Credentials("AKEY", "SECRET"), "personalize", "eu-central-1")
    expected = AWSRequest("POST", URL, {"content-type": sent.headers["content-type"]}, sent.content)
    expected.context["timestamp"] = sent.headers["x-amz-date"]
    expected.headers["X-Amz-Date"] = sent.headers["x-amz-date"]
    signature = signer.signature(signer.string_to_sign(expected, signer.canonical_request(expected)), expected)
    assert sent.headers["authorization"].endswith(f"Signature={signature}")
    assert "SignedHeaders=content-type;host;x-amz-date" in sent.headers["authorization"]


@upstream
@pytest.mark.parametrize(
    ("query", "settings", "sent"),
    [
        (PERSONAL, {}, {"campaignArn": ARNS["personal"], "userId": WITHIN, "numResults": 3}),
        (
            ListQuery("popular", 900),
            {"everybody": "all"},
            {"recommenderArn": ARNS["popular"], "userId": "all", "numResults": 500},
        ),
        (
            ListQuery("related", 3, to=("x",)),
            {},
            {"campaignArn": ARNS["related"], "userId": "everybody", "numResults": 3, "itemId": "x"},
        ),
        (
            ListQuery("category", 3, category="shoes"),
            {"filter_arn": FILTER, "fields": {"title": "TITLE"}},
            {
                "recommenderArn": ARNS["category"],
                "userId": "everybody",
                "numResults": 3,
                "filterArn": FILTER,
                "filterValues": {"CATEGORY": '"shoes"'},
                "metadataColumns": {"ITEMS": ["TITLE"]},
            },
        ),
    ],
    ids=["personal", "popular", "related", "category"],
)
async def test_each_kind_is_a_call_of_its_own(
    client: Client, query: ListQuery, settings: dict[str, object], sent: dict[str, object]
) -> None:
    route = upstream.post(URL).respond(json=REPLY)
    assert (await recommender(client, **settings).items(query)).status == "fresh"
    assert body_of(route) == sent


@upstream
async def test_items_related_to_several_are_taken_by_turns(client: Client) -> None:
    route = upstream.post(URL).respond(json=REPLY)
    found = await recommender(client, max_seeds=2).items(ListQuery("related", 3, to=("a", "y", "z")))
    assert [each.id for each in found.items] == ["b"]
    assert {body_of(route, call)["itemId"] for call in range(route.call_count)} == {"a", "y"}


@upstream
@pytest.mark.parametrize(
    "query",
    [
        ListQuery("category", 3, category='a" OR "b'),
        ListQuery("category", 3, category="shoes"),
        ListQuery("personal", 3, "x" * 257),
    ],
    ids=["a category that would end its text", "no filter for categories", "an id that is too long"],
)
async def test_what_cannot_be_asked_is_empty_and_not_asked(client: Client, query: ListQuery) -> None:
    assert await recommender(client).items(query) == Recommendations()


@upstream
@pytest.mark.parametrize("reply", [{"itemList": [], "recommendationId": "R"}, {"itemList": []}])
async def test_no_items_are_an_empty_list(client: Client, reply: dict[str, object]) -> None:
    upstream.post(URL).respond(json=reply)
    assert (await recommender(client).items(PERSONAL)).status == "empty"


@upstream
async def test_without_credentials_it_is_unavailable(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceUnavailable, match="no AWS credentials"):
        await recommender(client).items(PERSONAL)


def test_without_the_signer_authors_are_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera.adapters.recommender_personalize.find_spec", lambda _name: None)
    with pytest.raises(ValueError, match=r"install `tessera\[personalize\]`"):
        PersonalizeOptions(region="eu-central-1", arns={"popular": ARNS["popular"]})
