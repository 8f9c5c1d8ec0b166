"""The `ranges` of an experiment: which buckets each arm has, where its weights alone do not say it.

So written by `tessera reweight`, that a change of weights moves as few visitors as possible.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from tessera.rules.diagnostics import did_you_mean
from tessera.rules.shape import Fields, Reader
from tessera.rules.skeleton import Node
from tessera.rules.source import Span
from tessera.rules.split import BUCKETS, Arms, Range
from tessera.rules.values import parse_number


def read_ranges(reader: Reader, fields: Fields, shares: Mapping[str, float], hash_version: int) -> Arms | None:
    """The ranges of every arm, in the order of `shares`, which holds what part of the line each is to have.

    None where there are none, or where they are wrong.
    """
    node = fields.nodes.get("ranges")
    if node is None:
        return None
    written = {key.value: (key.span, _arm(reader, value)) for key, value in reader.entries(node, "`ranges`")}
    made = len(reader.complaints)
    for arm, (span, _) in written.items():
        if arm not in shares:
            close = did_you_mean(arm, shares)
            reader.complain("R108", f"the experiment has no arm `{arm}`", span, help=close)
    for arm, share in shares.items():
        if arm not in written:
            reader.complain("R011", f"`ranges` lacks arm `{arm}`", node.span)
        elif (owned := written[arm][1]) is not None:
            _agree(reader, arm, owned, share, hash_version, written[arm][0])
    found = {arm: ranges for arm, (_, ranges) in written.items() if ranges is not None}
    if len(reader.complaints) > made or len(found) < len(written):
        return None
    every = sorted(each for ranges in found.values() for each in ranges)
    if any(before[1] > after[0] for before, after in pairwise(every)):
        reader.complain("R410", "these ranges overlap, so that a bucket would have two arms", node.span)
        return None
    return tuple(found[arm] for arm in shares)


def _arm(reader: Reader, node: Node) -> tuple[Range, ...] | None:
    """The ranges of one arm; None when one is wrong."""
    ranges = [_range(reader, item) for item in reader.items(node, "the ranges of an arm")]
    sound = [each for each in ranges if each is not None]
    return tuple(sound) if len(sound) == len(ranges) else None


def _range(reader: Reader, node: Node) -> Range | None:
    edges = [_edge(reader, item) for item in reader.items(node, "a range")]
    match edges:
        case [float(start), float(end)] if start < end:
            return start, end
        case [float(), float()]:
            reader.complain("R403", "this range is empty", node.span)
        case [_, _]:
            pass
        case _:
            reader.complain("R013", "a range is two numbers, such as `[0, 0.25]`", node.span)
    return None


def _edge(reader: Reader, node: Node) -> float | None:
    scalar = reader.scalar(node, "the end of a range")
    if scalar is None:
        return None
    try:
        place = float(parse_number(scalar.value))
    except ValueError:
        place = -1.0
    if not 0 <= place <= 1:
        reader.complain("R013", f"`{scalar.value}` is no number from 0 to 1", scalar.span)
        return None
    return place


def _agree(reader: Reader, arm: str, ranges: Sequence[Range], share: float, hash_version: int, span: Span) -> None:
    """Complain where ranges are off what the arm's weight says, by a bucket or more."""
    size = sum(end - start for start, end in ranges)
    if abs(size - share) >= 1 / BUCKETS[hash_version]:
        message = f"the ranges of `{arm}` come to {100 * size:.6g} percent, its weight to {100 * share:.6g}"
        advice = "`tessera reweight` writes both"
        reader.complain("R410", message, span, help=advice)
