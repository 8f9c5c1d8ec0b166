"""Two other engines, each deciding which of some rules comes first for a visitor.

Both are an extra, `pip install tessera[bench]`. They have neither windows nor recency: the local time and the days that
have passed are handed to them as facts.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from support.draw import Rule

Decide = Callable[[dict[str, Any]], str | None]


def growthbook(rules: Sequence[Rule]) -> Decide:
    """GrowthBook's Python SDK, with the rules of one feature."""
    forced = [{"condition": rule.growthbook(), "force": f"rule {number}"} for number, rule in enumerate(rules)]
    features = {"hero": {"defaultValue": None, "rules": forced}}
    sdk = import_module("growthbook").GrowthBook(features=features)

    def decide(context: dict[str, Any]) -> str | None:
        sdk.set_attributes(context)
        chosen: str | None = sdk.eval_feature("hero").value
        return chosen

    return decide


def zen(rules: Sequence[Rule]) -> Decide:
    """GoRules' zen-engine, with one decision table of which the first hit counts."""
    rows = [{"_id": str(number), "in": rule.zen(), "out": f"'rule {number}'"} for number, rule in enumerate(rules)]
    columns = {
        "inputs": [{"id": "in", "name": "condition"}],
        "outputs": [{"id": "out", "name": "rule", "field": "rule"}],
    }
    nodes = [
        {"id": "request", "type": "inputNode", "name": "request"},
        {"id": "rules", "type": "decisionTableNode", "name": "rules"}
        | {"content": {"hitPolicy": "first", "rules": rows, **columns}},
        {"id": "response", "type": "outputNode", "name": "response"},
    ]
    edges = [
        {"id": "a", "type": "edge", "sourceId": "request", "targetId": "rules"},
        {"id": "b", "type": "edge", "sourceId": "rules", "targetId": "response"},
    ]
    decision = import_module("zen").ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def decide(context: dict[str, Any]) -> str | None:
        chosen: str | None = decision.evaluate(context)["result"].get("rule")
        return chosen

    return decide


ENGINES: Mapping[str, Callable[[Sequence[Rule]], Decide]] = {"growthbook": growthbook, "zen": zen}
