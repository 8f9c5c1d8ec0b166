"""Fragments nested in a template: what they are called, and where they may stand, in both languages.

The body of a nested fragment becomes a template of its own, with its own demands. It sees the inputs and nothing else,
so that what it shows depends on no more than its key tells.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from tessera.renderer.engines.base import SyntaxFault

NESTED = "fragment"
"""The tag, and what references to nested fragments are told by."""

MAX_NESTED = 50
"""Fragments in one file, at any depth: each is a template of its own, to be compiled and looked through."""

NAME = re.compile(r"[a-z0-9_-]+")

TAKES = f'`{NESTED}` takes a name of small letters, digits, `-` and `_`, as in `{NESTED} "greeting"`, or nothing'
MISPLACED = (
    f"`{NESTED}` cannot stand within `{{}}`, as it sees only the inputs, and goes into the page as it is: "
    "it stands at the top of a template, or within conditions"
)
TWICE = f"there are two `{NESTED}` of the name `{{}}` in this template"


@dataclass(frozen=True, slots=True)
class Nested:
    """A fragment that stands in a template: its name there, its full name, and its place in the file."""

    name: str
    full: str
    line: int
    column: int


def check_count(text: str) -> None:
    """Raise SyntaxFault where a template may have more fragments than there can be."""
    if text.count(f"end{NESTED}") > MAX_NESTED:
        raise SyntaxFault(f"more than {MAX_NESTED} `{NESTED}` in one template")


def nested_name(file: str, name: str) -> str:
    """Return the full name of a fragment that is nested in a template: `home/hero#greeting.liquid`."""
    path = PurePosixPath(file)
    return str(path.with_name(f"{path.stem}#{name}{path.suffix}"))


def file_of(full: str) -> str:
    """Return the name of the template file in which one of this full name stands."""
    path = PurePosixPath(full)
    return str(path.with_name(path.stem.partition("#")[0] + path.suffix))
