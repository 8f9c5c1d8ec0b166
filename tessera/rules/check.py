"""Names and types: the tree of an expression → a checked condition, or complaints."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

from tessera.rules.conditions import AllOf, AnyOf, Constant, Expr, Not, Operand, Pattern, Single, Test, Use
from tessera.rules.diagnostics import Diagnostic, did_you_mean
from tessera.rules.facts import Fact, Value
from tessera.rules.literals import INSTEAD, NOUNS, READINGS, alike, rewritten
from tessera.rules.names import Broken, Macro, Scope, Unknown, look_up, unknown
from tessera.rules.operators import OPERATORS, Operator, PatternError, compile_pattern
from tessera.rules.source import Span
from tessera.rules.syntax import Bare, Call, Comparison, Junction, Literal, Negation, Tree
from tessera.rules.syntax import Operand as Written
from tessera.rules.values import Period


class Resolved(NamedTuple):
    """What an operand stands for, and where that was written: inside a reusable condition, where it is used."""

    what: Fact | Literal
    span: Span


class Checker:
    """Checks expressions in one scope; `params` are the parameters of the page, by short name, None outside a page."""

    def __init__(self, scope: Scope, complaints: list[Diagnostic], params: Mapping[str, Fact] | None = None) -> None:
        self._scope = scope
        self._complaints = complaints
        self._params = params
        self._arguments: Mapping[str, Resolved] = {}
        self._not_given: Sequence[Fact] = ()

    def condition(self, tree: Tree) -> Expr | None:
        """The checked condition; None when any of it is wrong."""
        try:
            return self._checked(tree)
        except Broken:
            return None

    def body(self, macro: Macro) -> Expr | None:
        """The body of a reusable condition, its parameters standing for themselves; None when it is wrong."""
        self._arguments = {name: Resolved(param, param.span) for name, param in macro.params.items()}
        self._not_given = tuple(macro.params.values())
        return self.condition(macro.tree)

    def _checked(self, tree: Tree) -> Expr:
        match tree:
            case Junction(word, parts):
                checked = self._all(parts)
                return AllOf(checked) if word == "and" else AnyOf(checked)
            case Negation(part):
                return Not(self._checked(part))
            case Bare(Literal("boolean", text), span):
                return Constant(text == "true", span)
            case Bare(operand, span):
                return self._bare(self._subject(operand), span)
            case Call():
                return self._use(tree)
            case Comparison():
                return self._comparison(tree)

    def _all(self, parts: Sequence[Tree]) -> tuple[Expr, ...]:
        """Every part checked, so that each complains, before what is broken is given up."""
        checked = []
        for part in parts:
            try:
                checked.append(self._checked(part))
            except Broken:
                continue
        if len(checked) < len(parts):
            raise Broken
        return tuple(checked)

    def _bare(self, fact: Fact, span: Span) -> Test:
        if fact.type != "boolean":
            message = f"`{fact.name}` is {NOUNS[fact.type]}, which is no condition by itself"
            self._fail("R308", message, span, help="compare it with something")
        return Test(fact, OPERATORS["=="], True, False, span)

    def _comparison(self, tree: Comparison) -> Test:
        subject, operator = self._subject(tree.subject), tree.operator
        if subject.type not in operator.subjects:
            instead = INSTEAD.get((operator.words, subject.type))
            message = f"`{operator.words}` does not work on {NOUNS[subject.type]}"
            label = f"`{subject.name}` is {NOUNS[subject.type]}"
            self._fail("R304", message, tree.span, label, f"use `{instead}`" if instead else "")
        if tree.ignoring_case and not operator.folds:
            self._fail("R306", f"`{operator.words}` has no case to ignore", tree.span)
        if tree.ignoring_case and (subject.type != "string" or subject.one_of is not None):
            self._fail("R306", f"`{subject.name}` is not open text, so no case is to be ignored", tree.span)
        operand = self._operand(operator, tree.operands, subject, tree.ignoring_case)
        return Test(subject, operator, operand, tree.ignoring_case, tree.span)

    def _operand(self, operator: Operator, written: Sequence[Written], subject: Fact, ignoring_case: bool) -> Operand:
        match operator.shape:
            case "nothing":
                return None
            case "range":
                low, high = (self._single(each, subject, operator, ignoring_case) for each in written)
                return low, high
            case "list" | "elements":
                values = [self._constant(each, subject, operator) for each in written]
                return frozenset(_folded(value, ignoring_case) for value in values)
            case "pattern":
                return self._pattern(written[0], subject, operator, ignoring_case)
            case "period":
                return self._period(written[0], subject)
            case _:
                return self._single(written[0], subject, operator, ignoring_case)

    def _single(self, written: Written, subject: Fact, operator: Operator, ignoring_case: bool) -> Single:
        what, span = self._resolved(written, subject)
        if isinstance(what, Literal):
            return _folded(self._value(what, subject, operator), ignoring_case)
        element_of_set = subject.type == "set" and what.type in ("string", "enumeration")
        if not element_of_set:
            self._comparable(what, subject, span)
        return what

    def _constant(self, written: Written, subject: Fact, operator: Operator) -> Value:
        """A written value, where no fact may stand. A parameter that is not given yet counts as some value."""
        what, span = self._resolved(written, subject)
        if isinstance(what, Literal):
            return self._value(what, subject, operator)
        if not self._is_parameter(what):
            self._fail("R305", f"`{operator.words}` takes written values, not facts", span)
        return ""

    def _pattern(self, written: Written, subject: Fact, operator: Operator, ignoring_case: bool) -> Pattern:
        text = str(self._constant(written, subject, operator))
        try:
            return Pattern(text, compile_pattern(text, ignoring_case))
        except PatternError as error:
            self._fail("R307", f"the pattern is refused: {error}", self._resolved(written, subject).span)

    def _period(self, written: Written, subject: Fact) -> Period | None:
        what, span = self._resolved(written, subject)
        if isinstance(what, Literal) and what.kind == "duration":
            try:
                return Period.parse(what.text)
            except ValueError as error:
                self._fail("R303", str(error), span)
        if isinstance(what, Literal) or what.type != "duration" or not self._is_parameter(what):
            self._fail("R303", "a written duration is wanted here", span, help="such as `30 days`")
        return None

    def _use(self, call: Call) -> Use:
        macro = self._scope.macro(call.name.text)
        if macro is None:
            label = f"not declared in {self._scope.declared_in('condition')}"
            known = self._scope.known("condition")
            self._give_up(unknown("condition", call.name.text, call.name.span, known, label))
        if len(call.arguments) != len(macro.params):
            wanted = ", ".join(f"{name}: {param.type}" for name, param in macro.params.items())
            message = f"`{macro.name}` takes {len(macro.params)} arguments, not {len(call.arguments)}"
            self._fail("R309", message, call.span, help=f"it is declared as `{macro.name}({wanted})`")
        pairs = zip(macro.params.items(), call.arguments, strict=True)
        given = {name: self._argument(written, param) for (name, param), written in pairs}
        outer, self._arguments = self._arguments, given
        try:
            return Use(call.text, self._checked(macro.tree), call.span)
        finally:
            self._arguments = outer

    def _argument(self, written: Written, param: Fact) -> Resolved:
        resolved = self._resolved(written, param)
        what, span = resolved
        if isinstance(what, Fact):
            self._comparable(what, param, span)
        elif param.type == "duration":
            self._period(what, param)
        else:
            self._value(what, param)
        return resolved

    def _value(self, literal: Literal, fact: Fact, operator: Operator | None = None) -> Value:
        """What a literal stands for where a value of `fact` is wanted."""
        reading = READINGS[fact.type].get(literal.kind)
        if reading is None:
            shown = f'"{literal.text}"' if literal.kind == "text" else literal.text
            message = f"`{fact.name}` is {NOUNS[fact.type]}, `{shown}` is {NOUNS[literal.kind]}"
            self._fail("R301", message, literal.span, help=rewritten(literal, fact))
        try:
            value = reading(literal.text, fact)
        except ValueError as error:
            self._fail("R303", str(error), literal.span)
        open_ended = operator is not None and operator.shape in ("part", "pattern")
        if fact.one_of is not None and not open_ended and value not in fact.one_of:
            message = f"`{literal.text}` is no value of `{fact.name}`"
            close = did_you_mean(literal.text, fact.one_of) or f"it is one of {', '.join(fact.one_of)}"
            self._fail("R302", message, literal.span, help=close)
        return value

    def _comparable(self, other: Fact, subject: Fact, span: Span) -> None:
        if not alike(other.type, subject.type):
            message = f"`{subject.name}` is {NOUNS[subject.type]}, `{other.name}` is {NOUNS[other.type]}"
            self._fail("R301", message, span)
        if other.unit and subject.unit and other.unit != subject.unit:
            message = f"`{subject.name}` is in {subject.unit}, `{other.name}` is in {other.unit}"
            self._fail("R301", message, span)

    def _subject(self, written: Written) -> Fact:
        """The fact that a comparison begins with."""
        what, span = self._resolved(written, None)
        if isinstance(what, Literal):
            self._fail("R305", "a comparison begins with a fact", span, help="put the fact first")
        return what

    def _resolved(self, written: Written, wanted: Fact | None) -> Resolved:
        """A literal, or the fact of that name; `wanted` is what its value is to be compared with."""
        if isinstance(written, Literal):
            return Resolved(written, written.span)
        name = written.text
        if name in self._arguments:
            return self._arguments[name]
        as_text = wanted is not None and "text" in READINGS[wanted.type]
        advice = f'write `"{name}"` if it is a text' if as_text else ""
        try:
            return Resolved(look_up(name, written.span, self._scope, self._params, advice), written.span)
        except Unknown as error:
            self._give_up(error.diagnostic)

    def _is_parameter(self, fact: Fact) -> bool:
        """Whether `fact` stands for an argument that is not given yet."""
        return any(fact is param for param in self._not_given)

    def _fail(self, code: str, message: str, span: Span, label: str = "", help: str = "") -> NoReturn:
        self._give_up(Diagnostic(code, "error", message, span, label, help))

    def _give_up(self, complaint: Diagnostic) -> NoReturn:
        self._complaints.append(complaint)
        raise Broken


def _folded(value: Value, ignoring_case: bool) -> Value:
    return value.casefold() if ignoring_case and isinstance(value, str) else value
