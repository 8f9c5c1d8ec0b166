"""Several lists made into one: taken from by turns, in proportion to weights, no item twice."""

from collections.abc import Iterator, Sequence

from tessera.renderer.core.ports import Recommended


def blended(lists: Sequence[tuple[float, Sequence[Recommended]]]) -> Iterator[Recommended]:
    """Yield the items of all lists, each with its weight (above 0): the same lists are always blended alike.

    Of two lists that weigh 3 and 1, three items of four are of the first, spread evenly (nginx's smooth weighted
    round-robin). The item of a list keeps its order there; one that came already is skipped and costs no turn; one list
    that has ended leaves its turns to the others.
    """
    left = [(weight, iter(items)) for weight, items in lists]
    credits = [0.0] * len(left)
    seen: set[str] = set()
    while left:
        credits = [credit + weight for credit, (weight, _) in zip(credits, left, strict=True)]
        turn = max(range(len(left)), key=credits.__getitem__)
        item = next((each for each in left[turn][1] if each.id not in seen), None)
        if item is None:
            del left[turn], credits[turn]
            continue
        credits[turn] -= sum(weight for weight, _ in left)
        seen.add(item.id)
        yield item
