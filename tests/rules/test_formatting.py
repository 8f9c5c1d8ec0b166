"""`tessera fmt`: one form for all, in which a file says what it said."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tessera
from tessera.rules.assemble import Loaded, assemble
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.formatting import spaced, tidied
from tessera.rules.ruleset import Ruleset
from tessera.rules.skeleton import compose
from tessera.rules.source import Source
from tests.rules import worlds

DEMO = {file.name: file.read_text("utf-8") for file in sorted(Path(tessera.__file__).parent.glob("demo/rules/*.yaml"))}
DOCS = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", DOCS, re.DOTALL))
MESSY = """\
# The page.


page:   home
slots:
   hero:   # the first thing seen
       default: { template : home/hero.liquid,cta: discover }
       rules:
       # members first
       -   name:  Members
           when: 'visitor.tier   in [ "gold","platinum" ]and( spends_over ( 50.00 )or visitor.known )'
           show: {template: a.liquid,
             cta: {use: shop,
               category: [ ]}}
       - name: >-
             Folded
               text
         about: a text
           on two lines

         show: nothing   \n
# the end
"""
TIDY = """\
# The page.

page: home
slots:
  hero:   # the first thing seen
    default: {template: home/hero.liquid, cta: discover}
    rules:
      # members first
      - name: Members
        when: 'visitor.tier in ["gold", "platinum"] and (spends_over(50.00) or visitor.known)'
        show: {template: a.liquid,
            cta: {use: shop,
              category: []}}
      - name: >-
          Folded
            text
        about: a text
          on two lines

        show: nothing

# the end
"""


def tidy(text: str, name: str = "home.yaml") -> str:
    complaints: list[Diagnostic] = []
    told = tidied(Source(f"rules/{name}", text), complaints)
    assert complaints == []
    return told


def load(files: dict[str, str]) -> Loaded:
    return assemble([Source(f"rules/{name}", text) for name, text in files.items()], [])


def meaning(files: dict[str, str]) -> Ruleset:
    ruleset = load(files).ruleset
    assert ruleset is not None
    return ruleset


def test_a_file_gets_its_one_form() -> None:
    assert tidy(MESSY) == TIDY


@pytest.mark.parametrize("name", DEMO)
def test_the_demo_is_in_its_one_form(name: str) -> None:
    assert tidy(DEMO[name], name) == DEMO[name]


@pytest.mark.parametrize(
    ("text", "tidy_text"),
    [
        ("a: [1,\n2]\nb: {x:  , y: }", "a: [1,\n    2]\nb: {x: , y: }\n"),
        ("- - a\n  - b\n-   - c\n", "- - a\n  - b\n- - c\n"),
        ("a:\n    - |2\n        x\n      y\n", "a:\n  - |2\n      x\n    y\n"),
        ('a: "x\n   y\\\n   z"\n', 'a: "x\n  y\\\n  z"\n'),
        ("a:\n   b: 1\n   # c\n# d\n   e: 2", "a:\n  b: 1\n  # c\n# d\n  e: 2\n"),
        ("a: |+\n  x\n\n\nb:   1\n", "a: |+\n  x\n\n\nb:   1\n"),  # kept empty lines are what the value says
        ("# only\n", "# only\n"),
    ],
)
def test_every_way_to_write_yaml_has_its_form(text: str, tidy_text: str) -> None:
    assert tidy(text) == tidy_text
    assert tidy(tidy_text) == tidy_text


def test_a_file_that_cannot_be_read_is_left_alone_and_complained_of() -> None:
    text = "page:   home\nslots: {hero: {default: nothing, rules: [{name: x, when: a  &&  b}]}}\n"
    complaints: list[Diagnostic] = []
    assert tidied(Source("rules/home.yaml", text), complaints) == text
    assert [each.code for each in complaints] == ["R202"]


def test_only_expressions_are_spaced() -> None:
    text = 'conditions: {one: {about: "a   b", when: "cart.value   > 1"}}\n'
    assert tidy(text, "conditions.yaml") == 'conditions: {one: {about: "a   b", when: "cart.value > 1"}}\n'


@given(worlds.expressions(*worlds.PLAIN, *worlds.TIMED, *worlds.PRESENCE))
def test_a_generated_condition_keeps_its_form_and_its_meaning(text: str) -> None:
    assert spaced(text) == text
    assert spaced(text.replace(" ", "  ").replace(", ", " , ")) == spaced(spaced(text.replace(" ", "  ")))


NOISE = st.sampled_from([" ", "  ", "\n", "\n\n\n", "   \n", " # said\n", "\n# said\n", "\n      # said\n"])


@settings(max_examples=150)
@given(st.data(), st.sampled_from([*EXAMPLES.items(), ("home.yaml", MESSY)]))
def test_what_is_read_is_the_same_before_and_after(data: st.DataObject, file: tuple[str, str]) -> None:
    name, text = file
    breaks = [match.end() for match in re.finditer(r"[\s,:{}\[\]]", text)]
    for place in sorted(data.draw(st.sets(st.sampled_from(breaks), max_size=4)), reverse=True):
        text = text[:place] + data.draw(NOISE) + text[place:]
    source = Source(f"rules/{name}", text)
    complaints: list[Diagnostic] = []
    once = tidied(source, complaints)
    if complaints:
        assert once == text
        return
    again: list[Diagnostic] = []
    assert tidied(Source(source.file, once), again) == once
    assert again == []
    assert sorted(re.findall(r"# said|\S", once)) == sorted(re.findall(r"# said|\S", text))
    assert compose(Source(source.file, once), []) is not None


@pytest.mark.parametrize("files", [DEMO, EXAMPLES], ids=["demo", "docs"])
def test_rules_mean_the_same_before_and_after(files: dict[str, str]) -> None:
    spread = {
        name: re.sub(r"(?m)^( +)(- )?", lambda found: found[1] * 2 + ("-   " if found[2] else ""), text)
        for name, text in files.items()
    }
    assert {name: tidy(text, name) for name, text in spread.items()} == {
        name: tidy(text, name) for name, text in files.items()
    }
    assert load(spread).diagnostics == ()
