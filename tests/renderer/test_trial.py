"""Templates are tried out where they can do no harm."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL

import pytest

from tessera.renderer.confined import At, Bounds, Killed, confined
from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import SiteLoader
from tessera.rules.diagnostics import render_text
from tests.support.sites import LOCALES, write_site

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
BOUNDS = Bounds(cpu_s=1, wall_s=60)

HOME = "page: home\nslots:\n  hero:\n    default: {template: home/hero.TYPE}\n"


def found(folder: Path, template: str, suffix: str = "liquid", limits: Limits | None = None) -> str:
    rules = {"home.yaml": HOME.replace("TYPE", suffix)}
    site = write_site(folder, rules, {f"home/hero.{suffix}": template})
    proved = SiteLoader(site, LOCALES, limits or Limits()).prove(BOUNDS, NOW)
    return render_text([each for each in proved.diagnostics if each.code.startswith("S3")], proved.sources)


def spin() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("work", "bound"),
    [
        (spin, "1 s of the processor's time"),
        (lambda: bytearray(2**40), "512 MiB of memory"),
        (lambda: os.kill(os.getpid(), SIGKILL), "what the process can bear (it ended with -9)"),
    ],
)
def test_work_without_bounds_is_ended_and_what_it_was_at_is_told(work: Callable[[], object], bound: str) -> None:
    def named(at: At) -> None:
        at("one")
        at("two")
        work()

    with pytest.raises(Killed) as killed:
        confined(named, BOUNDS)
    assert (killed.value.at, killed.value.bound) == ("two", bound)


def test_work_that_waits_for_ever_is_ended_too() -> None:
    with pytest.raises(Killed, match=r"^0\.2 s$"):
        confined(lambda _at: time.sleep(99), Bounds(wall_s=0.2))


def test_work_within_its_bounds_gives_what_it_returns_and_changes_nothing_here() -> None:
    said: list[str] = []

    def work(at: At) -> list[str]:
        at("one")
        said.append("there")
        return said

    assert confined(work, BOUNDS) == ["there"]
    assert said == []


def test_a_template_that_never_ends_is_refused_alone(tmp_path: Path) -> None:
    unlimited = Limits(steps=10**15, render_ms=10**9)
    loop = "{% for i in (1..10000000000) %}{% endfor %}"
    assert found(tmp_path, loop, limits=unlimited).startswith(
        "templates/home/hero.liquid:1:1: error[S301]: rendering it takes more than 1 s of the processor's time\n"
    )


def test_a_template_that_takes_too_long_to_compile_is_refused_alone(tmp_path: Path) -> None:
    large = Limits(source_bytes=10**7)
    assert "hero.liquid:1:1: error[S301]: compiling it takes more than 1 s of the processor's time\n" in found(
        tmp_path, "{% if visitor.first_name %}{{ visitor.first_name | upcase }}{% endif %}" * 60_000, limits=large
    )


def test_a_template_that_always_fails_is_an_error(tmp_path: Path) -> None:
    assert found(tmp_path, "<p>\n{{ 1 | divided_by: 0 }}").startswith(
        "templates/home/hero.liquid:2:8: error[S302]: divided_by: can't divide by 0\n"
    )


def test_a_template_that_fails_with_what_may_come_is_a_warning(tmp_path: Path) -> None:
    assert found(tmp_path, '{{ visitor.first_name | date("short") }}', "jinja").startswith(
        "templates/home/hero.jinja:1:25: warning[S303]: `Sample` is not a date in ISO 8601\n"
    )
    assert "it fails with everything known" in found(tmp_path, '{{ visitor.first_name | date("short") }}', "jinja")


def test_a_template_that_holds_passes(tmp_path: Path) -> None:
    assert found(tmp_path, "<p>{{ visitor.first_name }}</p>") == ""
