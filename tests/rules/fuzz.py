"""Coverage-guided fuzzing of everything that reads what authors wrote, for longer than the tests can.

    pip install atheris
    python -m tests.rules.fuzz -max_total_time=600 folder-for-findings/

A finding is whatever raises, hangs (`-timeout=5`), or is neither a ruleset nor a complaint.
"""

import sys

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

with atheris.instrument_imports(include=["tessera.rules"]):
    from tessera.rules.assemble import assemble
    from tessera.rules.check import Checker
    from tessera.rules.diagnostics import Diagnostic, render_text
    from tessera.rules.parser import parse
    from tessera.rules.source import Embedded, Source
    from tests.rules import building

FILES = [*building.SHARED, "home.yaml"]


def expression(text: str) -> None:
    """A condition is a tree, or there is a complaint about it."""
    complaints: list[Diagnostic] = []
    tree = parse(Embedded(text, "x", 1, range(1, len(text) + 2)), complaints)
    if tree is not None:
        Checker(building.definitions(), complaints).condition(tree)
    else:
        assert complaints
    render_text(complaints, {"x": Source("x", text)})


def file(name: str, text: str) -> None:
    """A file is part of a ruleset, or there is a complaint about it."""
    texts = {**building.SHARED, "home.yaml": building.PAGE, name: text}
    loaded = assemble([Source(f"rules/{each}", content) for each, content in texts.items()], [])
    assert (loaded.ruleset is None) == any(each.severity == "error" for each in loaded.diagnostics)
    render_text(loaded.diagnostics, loaded.sources)


def one(content: bytes) -> None:
    """Read the bytes as a condition or as one of the files, by the first of them."""
    kind, text = content[:1], content[1:].decode("utf-8", "replace")
    choice = kind[0] % (len(FILES) + 1) if kind else 0
    if choice == len(FILES):
        expression(text)
    else:
        file(FILES[choice], text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
