"""The adapters of recommendation services keep their port's contract."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from tessera.adapters.recommender_algolia import AlgoliaRecommender
from tessera.adapters.recommender_gorse import GorseRecommender
from tessera.adapters.recommender_personalize import PersonalizeRecommender
from tessera.adapters.recommender_recombee import RecombeeRecommender
from tessera.contracts.lists import ListsContract
from tessera.contracts.over_http import OverHttp
from tessera.contracts.stand_in import Asked, Reply

ITEMS = ("a", "b", "c")
GIVEN = ("a", "b", "a", "c", "d", "e")
POPULAR = ("d", "e", "a")


class TestRecombee(OverHttp, ListsContract):
    adapter = RecombeeRecommender
    settings: ClassVar = {"database": "shop-dev", "token_variable": "RECOMBEE_TOKEN"}
    known = Reply({"recommId": "r-1", "recomms": [{"id": each} for each in GIVEN], "numberNextRecommsCalls": 0})
    unknown = Reply({"statusCode": 404, "message": "no such user"}, 404)
    wrong: ClassVar[Sequence[object]] = ([], {}, {"recomms": {}}, {"recomms": "x"})
    items = ITEMS

    def answer(self, asked: Asked) -> Reply:
        one = super().answer(asked)
        if not asked.url.path.endswith("/batch/"):
            return one
        return Reply([{"code": one.status, "json": one.content} for _ in json.loads(asked.body)["requests"]])


class TestGorse(OverHttp, ListsContract):
    adapter = GorseRecommender
    settings: ClassVar = {"url": "http://gorse:8088", "key_variable": "GORSE_KEY"}
    known = Reply([{"Id": each, "Score": 0.9} for each in GIVEN])
    unknown = Reply([{"Id": each} for each in POPULAR])
    wrong: ClassVar[Sequence[object]] = ({}, {"Id": "a"}, "a")
    items = ITEMS
    for_strangers = POPULAR


class TestPersonalize(OverHttp, ListsContract):
    adapter = PersonalizeRecommender
    settings: ClassVar = {
        "region": "eu-central-1",
        "arns": {"personal": "arn:aws:personalize:eu-central-1:1:campaign/mine"},
    }
    known = Reply({"itemList": [{"itemId": each, "score": 0.1} for each in GIVEN], "recommendationId": "R-1"})
    unknown = Reply({"itemList": [{"itemId": each} for each in POPULAR]})
    wrong: ClassVar[Sequence[object]] = ([], {}, {"itemList": 1})
    items = ITEMS
    for_strangers = POPULAR

    @pytest.fixture(autouse=True)
    def _credentials(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "of tests")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))


class TestAlgolia(OverHttp, ListsContract):
    adapter = AlgoliaRecommender
    settings: ClassVar = {
        "application": "APP1",
        "index": "products",
        "key_variable": "ALGOLIA_KEY",
        "models": {"personal": "for-you"},
        "try_ms": 30_000,  # how fast the machine is decides nothing
    }
    known = Reply({"results": [{"hits": [{"objectID": each} for each in GIVEN], "queryID": "q-1"}]})
    unknown = Reply({"results": [{"hits": [], "queryID": "q-2"}]})
    wrong: ClassVar[Sequence[object]] = ([], {"results": "x"}, {"results": [{"hits": {}}]})
    items = ITEMS
