"""Personas: named visitors whom a site's authors may see their pages as, in development only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tessera.renderer.core.device import Device, DeviceType

FILE = "personas.yaml"


class Persona(BaseModel):
    """One persona. What is not given is unknown, as for a stranger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z0-9-]+$")
    title: str
    about: str = ""
    visitor: str | None = None
    consent: Literal["granted", "denied"] = "granted"
    device: DeviceType | None = None
    country: str | None = None
    locale: str | None = None

    def recognised(self) -> Device:
        """Return the device that the persona uses."""
        return Device(type=self.device)

    def place(self) -> dict[str, str]:
        """Return where the persona is, as a trusted edge would say it."""
        return {"country": self.country} if self.country else {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    personas: list[Persona]


class PersonasError(Exception):
    """The personas' file cannot be used; the message says why, a line for each problem."""


def load_personas(folder: Path) -> Mapping[str, Persona]:
    """Read the personas of a site folder, in the order of the file; none where there is no file.

    Raises `PersonasError`.
    """
    file = folder / FILE
    if not file.exists():
        return {}
    try:
        read = _File.model_validate(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")))
    except (YAMLError, UnicodeDecodeError) as broken:
        raise PersonasError(f"{FILE}: {broken}") from broken
    except ValidationError as invalid:
        lines = [f"{FILE}: `{'.'.join(map(str, error['loc']))}`: {error['msg']}" for error in invalid.errors()]
        raise PersonasError("\n".join(lines)) from None
    return {persona.name: persona for persona in read.personas}
