"""How the tests of page files came out: as text for people, as JSON, and as JUnit's XML."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.etree import ElementTree

from tessera.rules import trace
from tessera.rules.cases import CaseResult


def to_text(results: Sequence[CaseResult]) -> str:
    """How many passed of each page; of each that failed, what differs, and what every rule did."""
    return "".join(f"{line}\n" for page, found in _by_page(results) for line in _page(page, found))


def to_json(results: Sequence[CaseResult]) -> list[dict[str, object]]:
    """Every test as a JSON-ready object, with the account of its decision where it failed."""
    return [
        {
            "page": each.page,
            "name": each.case.name,
            "file": each.case.span.file,
            "line": each.case.span.line,
            "passed": each.passed,
            "differences": [
                {"key": one.key, "expected": one.expected, "actual": one.actual} for one in each.differences
            ],
            "trace": None if each.passed else trace.to_json(each.trace),
        }
        for each in results
    ]


def to_junit(results: Sequence[CaseResult]) -> str:
    """Every test as JUnit's XML, a suite for each page, as build servers read it."""
    suites = ElementTree.Element("testsuites")
    for page, found in _by_page(results):
        failures = sum(not each.passed for each in found)
        suite = ElementTree.SubElement(suites, "testsuite", name=page, tests=str(len(found)), failures=str(failures))
        for each in found:
            span = each.case.span
            case = ElementTree.SubElement(
                suite, "testcase", classname=page, name=each.case.name, file=span.file, line=str(span.line)
            )
            if not each.passed:
                told = "; ".join(_differences(each))
                ElementTree.SubElement(case, "failure", message=told).text = trace.to_text(each.trace)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _by_page(results: Sequence[CaseResult]) -> Iterator[tuple[str, list[CaseResult]]]:
    for page, found in groupby(results, key=lambda each: each.page):
        yield page, list(found)


def _page(page: str, results: Sequence[CaseResult]) -> Iterator[str]:
    for each in results:
        if not each.passed:
            yield from _failure(each)
    yield f"{page}: {sum(each.passed for each in results)} of {len(results)} passed"


def _failure(result: CaseResult) -> Iterator[str]:
    case = result.case
    yield f"{case.span.file}:{case.span.line}:{case.span.column}: failed: {case.name}"
    yield from (f"  {line}" for line in _differences(result))
    yield from (f"  {line}" for line in trace.to_text(result.trace).splitlines())
    yield ""


def _differences(result: CaseResult) -> Iterator[str]:
    for each in result.differences:
        yield f"{each.key}: expected {each.expected}" + (f", got {each.actual}" if each.actual else "")
