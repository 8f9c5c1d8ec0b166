"""A real server, its upstreams on real sockets: pages are whole and their visitors' own, whatever becomes of those."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.load import send
from support.outages import redis_killed, worker_killed
from support.vendors import AUTHORITY, DEAD, UNTRUSTED, Vendors, settings, vendors
from support.visits import CART_SECRET, views
from support.watched import Watched, watched

from tests.support.programs import needs

FAULTS = ("hang", "drip", "reset", "too_short", "garbage", "bomb", DEAD, UNTRUSTED)


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Vendors, Watched]]:
    folder = tmp_path_factory.mktemp("faults")
    with vendors(folder) as upstreams:
        lasting = {"fresh_s": 0.1, "stale_s": 0, "grace_s": 0.1, "retry_ms": 50, "breaker_s": 0.2, "deadline_ms": 1000}
        environment = settings(upstreams.urls, **lasting) | {
            "TESSERA_CART_SECRET": CART_SECRET,
            "SSL_CERT_FILE": str(folder / AUTHORITY),
        }
        with watched(folder / "state", **environment) as server:
            yield upstreams, server


def test_pages_stand_and_are_the_visitors_own_under_every_fault(upstreams: tuple[Vendors, Watched]) -> None:
    vendors, server = upstreams
    asked = views(150, 60)
    well = send(server.port, asked, are_pages=True, connections=1)  # else a busy machine makes some miss their deadline
    assert (well.answers, well.failures, well.leaks, well.fallbacks) == (150, 0, 0, 0)
    before = server.census()
    for behaviour in FAULTS:
        vendors.behave(behaviour=behaviour)
        load = send(server.port, asked, are_pages=True)
        assert (behaviour, load.answers, load.failures, load.leaks) == (behaviour, 150, 0, 0)
        assert load.fallbacks > 0, f"{behaviour} did no harm"
    vendors.behave()
    after = server.census()
    assert after.tasks <= before.tasks + 3  # one for what is still being tried of each upstream
    assert after.sockets <= before.sockets + 32


def test_no_page_fails_while_redis_is_killed_and_comes_back(tmp_path: Path) -> None:
    needs("redis-server", "redis-server")
    load = redis_killed(tmp_path, seconds=1.5, rate=60)
    assert load is not None
    assert (load.failures, load.leaks) == (0, 0)
    assert load.answers > 50


def test_only_streamed_pages_are_cut_off_when_a_worker_is_killed_behind_nginx(tmp_path: Path) -> None:
    needs("nginx", "nginx")
    killed = worker_killed(tmp_path, seconds=1.5, rate=60)
    assert killed is not None
    assert (killed.pages.failures, killed.pages.leaks, killed.fragments.failures) == (0, 0, 0)
    assert killed.pages.answers > 25
    assert killed.cut <= 8 < killed.streamed  # of those that were being read then, at most
