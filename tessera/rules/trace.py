"""The account of a decision, as text for people and as JSON."""

from collections.abc import Iterator
from datetime import datetime

from tessera.rules.evaluate import Decision, RuleTrace, Trace
from tessera.rules.findings import Finding
from tessera.rules.values import format_timestamp

_TRUTHS = {True: "true", False: "false", None: "unknown"}


def to_text(trace: Trace) -> str:
    """Every rule with its verdict, each part of its condition with its value, and what was decided until when."""
    return "\n".join([f"{trace.page}/{trace.slot} at {format_timestamp(trace.now)}", *_lines(trace), ""])


def to_json(trace: Trace) -> dict[str, object]:
    """The same as JSON-ready objects; truths are true, false or null (unknown), moments RFC 3339 text or null."""
    return {
        "page": trace.page,
        "slot": trace.slot,
        "now": _moment(trace.now),
        "decision": _decision_json(trace.decision),
        "rules": [_rule_json(rule) for rule in trace.rules],
    }


def _lines(trace: Trace) -> Iterator[str]:
    decided = False
    for rule in trace.rules:
        reached = "" if not decided else ", not reached"
        yield f"  {rule.verdict}{reached}: {rule.name}"
        yield f"    {rule.why}{_until(rule.until)}"
        if rule.finding is not None:
            yield from _finding_lines(rule.finding, "    ")
        if rule.bucket is not None:
            yield f"    bucket {rule.bucket:.4f}" + (f", by {rule.unit}" if rule.unit else "")
        if rule.kept:
            yield "    arm kept since it was first shown"
        decided = decided or rule.decision is not None
    decision = trace.decision
    yield f"  {decision.reason}: {decision.rule or 'the default'}{_until(decision.until)}"
    if decision.assignment is not None:
        yield f"    arm {decision.assignment.arm} of {decision.assignment.experiment}"
    yield f"    shows {shown(decision)}"


def _finding_lines(finding: Finding, indent: str) -> Iterator[str]:
    reads = "; ".join(f"{name} is {value or 'unknown'}" for name, value in finding.reads)
    yield f"{indent}{_TRUTHS[finding.value]:8}{finding.text}{f'  ({reads})' if reads else ''}"
    for part in finding.parts:
        yield from _finding_lines(part, indent + "  ")


def shown(decision: Decision) -> str:
    """What a decision shows, in words."""
    outcome = decision.outcome
    parts = {
        "template": outcome.template,
        "cta": outcome.cta and outcome.cta.name,
        "items": outcome.items,
        "item": outcome.item,
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "nothing"


def _until(until: datetime | None) -> str:
    return f", until {format_timestamp(until)}" if until else ""


def _moment(moment: datetime | None) -> str | None:
    return format_timestamp(moment) if moment else None


def _decision_json(decision: Decision) -> dict[str, object]:
    outcome, assignment = decision.outcome, decision.assignment
    return {
        "reason": decision.reason,
        "rule": decision.rule,
        "experiment": assignment and assignment.experiment,
        "arm": assignment and assignment.arm,
        "version": assignment and assignment.version,
        "template": outcome.template,
        "cta": outcome.cta and outcome.cta.name,
        "items": outcome.items,
        "item": outcome.item,
        "until": _moment(decision.until),
        "failed": list(decision.failed),
    }


def _rule_json(rule: RuleTrace) -> dict[str, object]:
    return {
        "name": rule.name,
        "verdict": rule.verdict,
        "why": rule.why,
        "until": _moment(rule.until),
        "window": rule.window,
        "bucket": rule.bucket,
        "unit": rule.unit,
        "holdout": rule.holdout,
        "kept": rule.kept,
        "condition": rule.finding and _finding_json(rule.finding),
    }


def _finding_json(finding: Finding) -> dict[str, object]:
    return {
        "text": finding.text,
        "value": finding.value,
        "until": _moment(finding.until),
        "reads": dict(finding.reads),
        "parts": [_finding_json(part) for part in finding.parts],
    }
