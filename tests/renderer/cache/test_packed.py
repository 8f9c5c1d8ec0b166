"""What lies in Redis comes out as it went in, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.cache.packed import COMPRESSED_FROM_BYTES, pack, stamp_of, unpack

KEY = bytes(20)
STAMP = stamp_of([b"a", None])
bodies = st.one_of(st.binary(max_size=100), st.integers(0, 5000).map(lambda size: b"<p>a word</p>" * size))


@given(bodies)
def test_what_is_packed_is_unpacked(body: bytes) -> None:
    packed = pack(KEY, STAMP, body)
    assert unpack(KEY, STAMP, packed) == body
    assert len(packed) < len(body) or len(body) < COMPRESSED_FROM_BYTES


@given(bodies, st.data())
def test_what_was_cut_short_changed_or_mixed_up_is_a_miss(body: bytes, data: st.DataObject) -> None:
    packed = pack(KEY, STAMP, body)
    cut = data.draw(st.integers(0, len(packed) - 1))
    flipped = bytearray(packed)
    flipped[cut] ^= data.draw(st.integers(1, 255))
    assert unpack(KEY, STAMP, packed[:cut]) is None
    assert unpack(KEY, STAMP, bytes(flipped)) is None
    assert unpack(bytes(19) + b"1", STAMP, packed) is None


@given(st.lists(st.one_of(st.none(), st.binary(max_size=3)), max_size=4), bodies)
def test_under_another_stamp_there_is_nothing(names: list[object], body: bytes) -> None:
    stamp = stamp_of(names)
    assert (unpack(KEY, stamp, pack(KEY, STAMP, body)) is None) == (names != [b"a", None])
