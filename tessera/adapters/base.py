"""What every adapter is made of: its own settings, what it may reach, and its secrets.

An adapter is a class with two things: `Options`, a model of its own settings, and a constructor that takes those and a
`Reach`. What it opens for itself it enters into `Reach.closing`, which ends with the process.
"""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, get_origin

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import from_json

from tessera.adapters.sqlite import Store

if TYPE_CHECKING:
    from tessera.adapters.client import Client


class Options(BaseModel):
    """An adapter's own settings, which stand in its table beside those that every upstream has.

    A secret is named by a setting that ends in ``_variable``: the environment variable that holds it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _tables_and_lists_may_be_json(cls, given: dict[str, object]) -> dict[str, object]:
        """Read tables and lists that come from the environment, where they are written as JSON."""
        nested = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) in (dict, tuple)}
        return {
            name: from_json(value) if name in nested and isinstance(value, str) else value
            for name, value in given.items()
        }

    @property
    def tells_consent(self) -> bool:
        """Whether its profiles may say that a visitor refused personalization."""
        return False

    def missing_secrets(self) -> list[str]:
        """Return the environment variables that are named and not set."""
        named = [value for name, value in self if name.endswith("_variable") and value is not None]
        return [variable for variable in named if not os.environ.get(variable)]


class Nothing(Options):
    """The settings of an adapter that has none of its own."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What an adapter may reach: its own client for HTTP, the embedded store, and what closes it at the end."""

    connect: "Callable[[], Client]"
    store: Store
    closing: AsyncExitStack

    @property
    def client(self) -> "Client":
        """Its client for HTTP, made when it is first asked for."""
        return self.connect()


class Adapter(Protocol):
    """A class that implements a port.

    One that has ``idempotent = True`` says that asking twice does no more than asking once, so that settings may have a
    slow call made a second time (`hedge_ms`).
    """

    Options: ClassVar[type[Options]]

    def __call__(self, options: Any, reach: Reach) -> Any:
        """Make it from its options, an instance of its `Options`."""
        ...


def secret(variable: str | None) -> str | None:
    """Return what an environment variable holds, None where none is named or it is empty."""
    return (os.environ.get(variable) or None) if variable is not None else None
