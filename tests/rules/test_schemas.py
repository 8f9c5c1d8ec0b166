"""The JSON Schemas of rule files take what the language takes, with its keys and in the docs' words."""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import tessera.rules
from tessera.rules import (
    casefile,
    ctas,
    declare,
    definitions,
    experiments,
    holdouts,
    lists,
    outcomes,
    pages,
    rollouts,
    schedule,
)
from tessera.rules.facts import DECLARED_SOURCES, SHARES, TYPES
from tessera.rules.operators import ROWS
from tessera.rules.shared import SHARED_FILES
from tests.rules.test_docs import EXAMPLES, PROSE, section

PACKAGE = Path(tessera.rules.__file__).parent
SCHEMAS = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(PACKAGE.glob("schemas/*.json"))}
DEMO = sorted((PACKAGE.parent / "demo" / "rules").glob("*.yaml"))


def schema_of(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.removesuffix(".yaml") if base in SHARED_FILES else "page"


def complaints(schema: str, text: str) -> list[str]:
    return [
        each.message for each in Draft202012Validator(SCHEMAS[schema]).iter_errors(plain(YAML(typ="safe").load(text)))
    ]


def plain(value: Any) -> Any:
    """As editors read YAML: without dates."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def test_every_kind_of_file_has_a_schema_that_is_one() -> None:
    assert SCHEMAS.keys() == {"page", *(name.removesuffix(".yaml") for name in SHARED_FILES)}
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("file", DEMO, ids=lambda file: str(file.name))
def test_the_demo_names_its_schemas_and_satisfies_them(file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema=.schemas/{schema_of(file.name)}.json"
    assert complaints(schema_of(file.name), text) == []


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_examples_of_the_docs_satisfy_them(name: str, text: str) -> None:
    assert complaints(schema_of(name), text) == []


def at(schema: str, path: str) -> dict[str, Any]:
    """The part of a schema at a path of keys: `*` is any name or item, `@name` what is defined once for all."""
    found = SCHEMAS[schema]
    for key in path.split():
        if key.startswith("@"):
            found = SCHEMAS[schema]["$defs"][key[1:]]
        else:
            found = found["additionalProperties"] if key == "*" else found["properties"][key]
        found = found["anyOf"][-1] if "anyOf" in found else found
    assert isinstance(found, dict)
    return found


OUTCOME = ("template", *outcomes.PARTS)
TABLES: list[tuple[str, str, Sequence[str], str]] = [
    ("facts", "facts *", declare.FACT.keys, "Keys of a fact"),
    ("facts", "item *", declare.ITEM_FIELD.keys, "Keys of a fact"),
    ("segments", "segments *", definitions.SEGMENT_KEYS, "Segments"),
    ("conditions", "conditions *", definitions.CONDITION_KEYS, "Conditions"),
    ("conditions", "conditions * params *", declare.CONDITION_PARAM.keys, "Keys of a fact"),
    ("ctas", "ctas *", ctas.CTA_KEYS, "CTAs"),
    ("ctas", "ctas * params *", declare.CTA_PARAM.keys, "Keys of a fact"),
    ("lists", "lists *", lists.LIST_KEYS, "Lists"),
    ("experiments", "experiments *", experiments.EXPERIMENT_KEYS, "Experiments"),
    ("experiments", "holdouts *", holdouts.HOLDOUT_KEYS, "Holdouts"),
    ("page", "", pages.PAGE_KEYS, "Pages"),
    ("page", "params *", declare.PAGE_PARAM.keys, "Keys of a fact"),
    ("page", "@slot", pages.SLOT_KEYS, "Slots"),
    ("page", "@rule", pages.RULE_KEYS, "Rules"),
    ("page", "@rollout", rollouts.ROLLOUT_KEYS, "Rollouts"),
    ("page", "@outcome", OUTCOME, "Outcomes"),
    ("page", "@window", schedule.KEYS, "Windows"),
    ("page", "@test", casefile.CASE_KEYS, "Tests"),
    ("page", "@test expect", casefile.EXPECT_KEYS, "Tests"),
]


@pytest.mark.parametrize(("schema", "path", "keys", "title"), TABLES, ids=[f"{t[0]} {t[1]}" for t in TABLES])
def test_keys_are_those_of_the_language_in_the_words_of_the_docs(
    schema: str, path: str, keys: Sequence[str], title: str
) -> None:
    found = at(schema, path)
    assert found["additionalProperties"] is False
    assert list(found["properties"]) == list(keys)
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", section(title), re.MULTILINE)
    words = {key: re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", meaning) for key, meaning in rows}
    assert {key: each["description"] for key, each in found["properties"].items()} == {key: words[key] for key in keys}


@pytest.mark.parametrize(
    ("schema", "path", "keys"),
    [
        ("page", "@layout", pages.LAYOUT_KEYS),
        ("page", "@layout_outcome", ("use", *outcomes.PARTS)),
        ("page", "@rule split", pages.SPLIT_KEYS),
        ("page", "@layout split", pages.SPLIT_KEYS),
        ("experiments", "experiments * group", experiments.GROUP_KEYS),
        *((name.removesuffix(".yaml"), "", keys) for name, keys in SHARED_FILES.items()),
    ],
)
def test_other_keys_are_those_of_the_language(schema: str, path: str, keys: Sequence[str]) -> None:
    found = at(schema, path)
    assert found["additionalProperties"] is False
    assert list(found["properties"]) == list(keys)


def test_words_are_those_of_the_language() -> None:
    fact = at("facts", "facts *")["properties"]
    assert [fact[key]["enum"] for key in ("type", "source", "share")] == [
        list(TYPES),
        list(DECLARED_SOURCES),
        list(SHARES),
    ]
    assert at("lists", "lists *")["properties"]["kind"]["enum"] == list(lists.KINDS)
    assert at("experiments", "experiments *")["properties"]["status"]["enum"] == list(holdouts.STATUSES)
    for schema in ("facts", "segments", "conditions", "page"):
        told = SCHEMAS[schema]["$defs"]["expression"]["description"]
        assert [row.words for row in ROWS if f"`{row.words}`" not in told] == []


def test_what_is_said_of_editors_is_so() -> None:
    assert "`tessera schema --write" in PROSE
    assert complaints("page", "page: home\nslots: {hero: {defualt: nothing}}\n") == [
        "Additional properties are not allowed ('defualt' was unexpected)",
        "'default' is a required property",
    ]
