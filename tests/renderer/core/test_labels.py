"""Labels fit into their header, and a purge by any tag of an answer names a label that the answer carries."""

from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.labels import Room, label, labels, purged, visitor_tag
from tessera.renderer.core.tags import EVERYTHING, KINDS
from tessera.renderer.edge import GROUPS, groups

SECRET = "a secret for tests only"
TAGS = st.lists(
    st.builds(lambda kind, name: f"{kind}:{name}", st.sampled_from([*KINDS[1:]]), st.text(min_size=1, max_size=200))
    | st.builds("item:{}".format, st.integers(0, 10**6)),
    max_size=120,
).map(lambda tags: (EVERYTHING, *tags))


@given(TAGS, st.sampled_from([Room(), GROUPS, Room(400, 20, 40)]), st.data())
def test_a_purge_by_any_tag_reaches_whatever_carries_it(tags: tuple[str, ...], room: Room, data: st.DataObject) -> None:
    carried = labels(tags, room)
    assert len(" ".join(carried)) <= room.total_bytes
    assert len(carried) <= room.labels
    assert all(len(each) <= room.label_bytes for each in carried)
    assert not set(purged([data.draw(st.sampled_from(tags))], SECRET)).isdisjoint(carried)


@given(st.text(min_size=1))
def test_a_label_can_stand_in_every_header(name: str) -> None:
    written = label(f"item:{name}".encode("utf-8", "replace").decode())
    assert written.isascii()
    assert written.isprintable()
    assert not set(' ,"\\*') & set(written)


def test_what_has_no_room_is_folded_into_its_kind() -> None:
    tags = (EVERYTHING, "page:home", *(f"item:{number}" for number in range(1000)))
    carried = labels(tags, Room())
    assert carried[:3] == ("everything", "page:home", "item:0")
    assert carried[-1] == "item:*"
    assert 3_800 < len(" ".join(carried)) <= 3_900
    assert groups(labels(tags, GROUPS)).count(b",") == 31 - 2  # room is held for two kinds that need none
    assert labels(tags[:5], Room()) == ("everything", "page:home", "item:0", "item:1", "item:2")


def test_a_purge_names_the_coarse_labels_and_no_visitor() -> None:
    assert purged(["item:ä b", "item:A"], SECRET) == ("item:%C3%A4%20b", "item:*", "item:A")
    assert purged(["item:A", EVERYTHING], SECRET) == ("everything",)
    told = purged(["visitor:ann"], SECRET)
    assert told == ("visitor:*", visitor_tag("ann", SECRET))
    assert "ann" not in " ".join(told)
