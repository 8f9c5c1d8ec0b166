"""`round` takes halves away from zero: `4.5` is 5, `-4.5` is -5; with places below zero it rounds to tens, hundreds, ….

Liquid rounds decimals, not binary fractions (`Liquid::StandardFilters#round`, Ruby's `BigDecimal#round`). python-liquid
rounds halves to the even neighbour, as Python does, and gives 0 for places below zero.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

from liquid.filter import math_filter, num_arg

from tessera.renderer.engines.filter_arguments import FilterFault

MAX_PLACES = 20
EXACT = Context(prec=2000)
"""Digits of the longest numbers there are: floats have 309 before the point, whole numbers are bounded."""


@math_filter
def round_half_up(number: int | float, places: object = 0) -> int | float:
    """Round a number to some places after the point: 0 unless that is a number."""
    after = int(num_arg(_number_or_nothing(places), default=0))
    if isinstance(number, int) and after >= 0:
        return +number  # Truth is a number too.
    exact = Decimal(str(+number))
    if not exact.is_finite():
        raise FilterFault("`round` takes a number")
    if after > MAX_PLACES:
        return number
    if exact.adjusted() + 1 < -after:
        return 0
    rounded = exact.quantize(Decimal(1).scaleb(-after), ROUND_HALF_UP, EXACT)
    return float(rounded) if after > 0 else int(rounded)


def _number_or_nothing(places: object) -> object:
    return float(places) if isinstance(places, Decimal) else places
