"""Places in authored files: which file, which line, which columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """Some columns of one line. (A tuple, because a load makes a hundred thousand of them.)

    `file` is the path relative to the site folder, with forward slashes. Lines and columns count from 1, columns in
    Unicode code points; `end_column` is the first column after the span, so an empty span has `end_column == column`.
    """

    file: str
    line: int
    column: int
    end_column: int


@dataclass(frozen=True)
class Source:
    """One authored file: its path relative to the site folder, and its text with line ends normalised to `\\n`."""

    file: str
    text: str

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.file.rpartition("/")[2]

    @cached_property
    def lines(self) -> Sequence[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str | None:
        """Line `number`, from 1, without its end; None where the file has no such line."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None


@dataclass(frozen=True, slots=True)
class Embedded:
    """Text that stands inside one line of a file, such as an expression in a YAML scalar.

    `columns[i]` is the column of character `i` of `text`; its last entry is the column after the text. The two differ
    by more than a constant where the file writes a character as an escape.
    """

    text: str
    file: str
    line: int
    columns: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        """The place of `text[start:end]` in the file."""
        return Span(self.file, self.line, self.columns[start], self.columns[end])
