"""A rule that fails takes nothing else down: it is skipped, and reported once."""

import logging
from pathlib import Path

import pytest

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.pipeline import Pipeline
from tests.support.client import NOW
from tests.support.fakes import World
from tests.support.sites import load, write_site

PAGE = """
    page: home
    slots:
      hero:
        default: {template: hello.liquid}
        rules:
          - name: Full carts
            when: cart.value > 50.00
            show: {template: full.liquid}
          - name: Everybody
            when: not visitor.known
            show: {template: all.liquid}
"""


async def test_a_rule_that_fails_is_skipped_and_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    templates = {"hello.liquid": "Hello", "full.liquid": "Full", "all.liquid": "All"}
    site = load(write_site(tmp_path, {"home.yaml": PAGE}, templates))
    pipeline = Pipeline(Gatherer(World().sources()), Fragments(MemoryCache(10_000)))
    context = Context.of(Visitor(), Device(), "en", site.declared)
    asked = Asked(context, site.declared, NOW, given={"cart.value": "much"})
    with caplog.at_level(logging.ERROR, "tessera"):
        answers = [await pipeline.slot(asked, site.pages["home"].slots["hero"]) for _ in range(3)]
    assert [(each.fragment.body, each.rung, each.decision.failed) for each in answers] == [
        (b"All", "fresh", ("Full carts",))
    ] * 3
    assert [record.message for record in caplog.records] == ["home/hero: rule `Full carts` failed, and is skipped"]
