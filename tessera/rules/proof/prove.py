"""Everything that can be proved of a site's rules by themselves, as complaints that stop nothing."""

from collections.abc import Iterator

from tessera.rules.diagnostics import Diagnostic
from tessera.rules.proof.collisions import collisions
from tessera.rules.proof.contradictions import never_true
from tessera.rules.proof.gaps import gaps
from tessera.rules.proof.reach import never_reached
from tessera.rules.proof.regions import Regions
from tessera.rules.ruleset import Page, Ruleset


def prove_shared(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """What segments and computed facts cannot be, whatever the page. All of it is true, not all that is true."""
    yield from never_true(ruleset)


def prove_page(ruleset: Ruleset, page: Page) -> Iterator[Diagnostic]:
    """What is well formed on a page but has no effect, or another one than it seems. As far true as `prove_shared`."""
    for slot in (*page.slots.values(), *([page.layouts] if page.layouts else [])):
        regions = Regions(slot, ruleset.computed)
        yield from never_reached(ruleset, slot, regions)
        yield from collisions(regions)
        yield from gaps(slot, regions)
