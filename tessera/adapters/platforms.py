"""What customer data platforms have in common: audiences under names of their own, and consent among the traits."""

from collections.abc import Collection, Mapping

from pydantic import Field

from tessera.adapters.base import Options
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import PERSONALIZATION, Consent

SOURCE = "profile"
"""How operators know the port."""

YES = frozenset(("granted", "true", "yes", "1"))
"""What means consent, whatever its case. As in a cookie, any other word is a no."""


class AudienceOptions(Options):
    """Settings of a platform whose audiences rules read as segments."""

    audiences: dict[str, str] = Field(
        {}, description="Segment of the rules to what the platform calls it; one that is not listed has the same name"
    )


class PlatformOptions(AudienceOptions):
    """Settings of a platform that has consent, if anywhere, where it has traits."""

    consent: str | None = Field(
        None, description="Trait, field or place with consent for personalization: `granted` or true is a yes"
    )

    @property
    def tells_consent(self) -> bool:
        """Whether it says anything of consent."""
        return self.consent is not None


def segments_of(audiences: Mapping[str, str], found: Collection[str]) -> frozenset[str]:
    """Return the segments, as the rules call them, of the audiences that a visitor is in."""
    listed = frozenset(audiences.values())
    ours = {name for name, theirs in audiences.items() if theirs in found}
    return frozenset(ours.union(each for each in found if each not in listed))


def consents_of(said: object) -> Mapping[str, Consent]:
    """Read what a platform says of consent for personalization; nothing is said by None, and by empty text."""
    if said is None or said == "":
        return {}
    return {PERSONALIZATION: "granted" if str(said).strip().lower() in YES else "denied"}


def only(wanted: Collection[str], found: Mapping[str, object]) -> dict[str, object]:
    """Return the wanted traits of those found."""
    return {name: value for name, value in found.items() if name in wanted}


def object_at(found: object, place: str) -> Mapping[str, object]:
    """Return an object that is to be at a place of a reply; what is not there is an empty one.

    Raises `SourceGarbled`.
    """
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SourceGarbled(SOURCE, f"`{place}` is not an object")
    return found


def names_at(found: object, place: str) -> frozenset[str]:
    """Return the names that are at a place of a reply: of a list, or of the truths of an object.

    Raises `SourceGarbled`.
    """
    if found is None:
        return frozenset()
    if isinstance(found, dict):
        return frozenset(name for name, member in found.items() if member is True)
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return frozenset(found)
    raise SourceGarbled(SOURCE, f"`{place}` is neither a list of names nor an object")
