"""What the description says of the routes holds: requests made up from it, and near to it, get what it promises."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import schemathesis
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok

from tessera.cli.openapi import openapi
from tessera.openapi import ANSWERS
from tests.support.served import served

TOKEN = "a token for operators only"
BOUNDED = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
HEADERS = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("state"), environment={"TESSERA_ADMIN_TOKEN": TOKEN}) as address:
        yield address


@pytest.fixture(scope="module")
def described(address: str) -> Mapping[str, Any]:
    told: Mapping[str, Any] = httpx.get(f"{address}/-/openapi.json", headers=HEADERS).json()
    return told


def test_every_route_is_described_and_the_command_prints_the_same(described: Mapping[str, Any]) -> None:
    assert set(described["paths"]) == set(ANSWERS)
    assert all(operation["summary"] for path in described["paths"].values() for operation in path.values())
    printed = json.loads(CliRunner().invoke(openapi, [], catch_exceptions=False).stdout)
    assert printed["paths"] == described["paths"]
    for path in described["paths"].values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                Draft202012Validator.check_schema(content["schema"])


@pytest.mark.parametrize("path", ANSWERS)
def test_each_route_keeps_what_is_promised(path: str, address: str, described: Mapping[str, Any]) -> None:
    load_all_checks()
    promised = schemathesis.checks.CHECKS.get_by_names(
        ["not_a_server_error", "status_code_conformance", "content_type_conformance"]
    )
    schema = schemathesis.openapi.from_dict({**described, "paths": {path: described["paths"][path]}})
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        made_up = operation.ok().as_strategy()

        @BOUNDED
        @given(case=made_up)
        def keep(case: schemathesis.Case[Any]) -> None:
            reply = case.call(base_url=address, headers=HEADERS, allow_redirects=False, timeout=60)
            case.validate_response(reply, checks=promised)  # type: ignore[arg-type]

        keep()
