"""The first level: bounded in bytes, and what is asked for again stays."""

from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.cache.base import Fragment
from tessera.renderer.cache.memory import ENTRY_OVERHEAD_BYTES, TAG_BYTES, MemoryCache
from tessera.renderer.core.tags import EVERYTHING

ROOM = 100 * (1000 + ENTRY_OVERHEAD_BYTES)
"""Room for a hundred fragments of 1,000 bytes."""


def fragment(size: int = 1000, *tags: str) -> Fragment:
    return Fragment.of(bytes(size), tags)


def key(number: int) -> bytes:
    return b"%020d" % number


def sized(each: Fragment) -> int:
    return len(each.body) + ENTRY_OVERHEAD_BYTES + TAG_BYTES * len(each.tags)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 30), st.integers(0, 5000)),
        st.tuples(st.just("get"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("purge"), st.integers(0, 6), st.just(0)),
    ),
    max_size=80,
)


@given(steps)
def test_it_holds_what_was_put_within_its_room_and_nothing_that_was_purged(history: list[tuple[str, int, int]]) -> None:
    cache, put = MemoryCache(12_000), dict[bytes, Fragment]()
    for what, number, size in history:
        if what == "put" and key(number) not in put:
            put[key(number)] = fragment(size, f"t:{number % 5}", f"u:{number % 3}")
        if what == "put":
            cache.put(key(number), put[key(number)])
        elif what == "get":
            assert cache.get(key(number)) in (None, put.get(key(number)))
        else:
            tag = EVERYTHING if number == 6 else f"t:{number}"
            had = [each for each in put if cache.get(each)]
            dropped = cache.purge(frozenset([tag]))
            left = [each for each in had if cache.get(each)]
            assert dropped == len(had) - len(left)
            assert all(tag not in put[each].tags and tag != EVERYTHING for each in left)
            assert all(tag in (*put[each].tags, EVERYTHING) for each in set(had) - set(left))
        held = [each for each in put if cache.get(each)]
        assert len(cache) == len(held)
        assert cache.size_bytes == sum(sized(put[each]) for each in held) <= 12_000


def test_what_is_asked_for_again_outlives_a_crawler_that_asks_for_everything_once() -> None:
    cache = MemoryCache(ROOM)
    for number in range(50):
        cache.put(key(number), fragment())
        assert cache.get(key(number))
    for number in range(1000, 2000):
        cache.put(key(number), fragment())
    assert all(cache.get(key(number)) for number in range(50))


def test_what_nobody_asks_for_any_more_makes_room() -> None:
    cache = MemoryCache(ROOM)
    for number in range(500):
        cache.put(key(number), fragment())
        assert cache.get(key(number))
    assert not any(cache.get(key(number)) for number in range(300))


def test_what_went_and_comes_back_soon_stays() -> None:
    cache = MemoryCache(ROOM)
    for number in range(150):
        cache.put(key(number), fragment())
    assert cache.get(key(49)) is None
    cache.put(key(49), fragment())
    for number in range(1000, 1300):
        cache.put(key(number), fragment())
    assert cache.get(key(49))


def test_what_is_larger_than_the_whole_room_is_declined() -> None:
    cache = MemoryCache(ROOM)
    cache.put(key(1), fragment())
    cache.put(key(2), fragment(ROOM))
    assert cache.get(key(2)) is None
    assert cache.get(key(1))


def test_without_room_there_is_no_cache() -> None:
    cache = MemoryCache(0)
    cache.put(key(1), fragment(0))
    assert cache.get(key(1)) is None
