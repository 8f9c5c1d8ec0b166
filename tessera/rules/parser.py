"""Expression text → tree. Recovers from an error and reports the rest too; what is broken is left out of the tree."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tessera.rules.diagnostics import Diagnostic, did_you_mean
from tessera.rules.operators import IGNORING_CASE, OPERATORS, Operator
from tessera.rules.source import Embedded, Span
from tessera.rules.syntax import Bare, Call, Comparison, Junction, Literal, Name, Negation, Operand, Tree
from tessera.rules.tokens import Token, TokenKind, tokenize, unquote

MAX_DEPTH = 40
"""How deep parentheses and `not` may nest."""

RESERVED_WORDS = frozenset(" ".join(["and or not true false", IGNORING_CASE, *OPERATORS]).split())
_BOOLEANS = frozenset(("true", "false"))
_NO_OPERANDS = RESERVED_WORDS - _BOOLEANS

# What other languages write → what this one does.
_FOREIGN = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "=": "==",
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    "=>": ">=",
    "=<": "<=",
    "startswith": "starts with",
    "endswith": "ends with",
    **{word.upper(): word for word in ("and", "or", "not", "in", "has", "true", "false")},
    **{word.title(): word for word in ("and", "or", "not", "true", "false")},
}
_CURLY_QUOTES = set("“”„‟‘’‚‛«»")
_LISTS_FOR = {"==": "use `in`", "!=": "use `not in`", "has": "use `has any of` or `has all of`"}


def _by_first_word() -> Mapping[str, Sequence[tuple[Sequence[str], Operator]]]:
    """The operators' words under the first of them, longer ones first."""
    found = defaultdict(list)
    for words in sorted((words.split() for words in OPERATORS), key=len, reverse=True):
        found[words[0]].append((words, OPERATORS[" ".join(words)]))
    return found


_OPERATORS = _by_first_word()


def parse(text: Embedded, complaints: list[Diagnostic]) -> Tree | None:
    """The tree of an expression; None when nothing of it can be told. Complaints are appended."""
    return _Parser(text, complaints).whole()


class _Broken(Exception):
    """What is being read cannot be read; its complaint is made already."""


class _TooDeep(Exception):
    """The expression nests deeper than is read; the complaint is made already."""


class _Parser:
    def __init__(self, text: Embedded, complaints: list[Diagnostic]) -> None:
        self._text = text
        self._complaints = complaints
        self._at = 0
        self._depth = 0
        self._tokens = tokenize(text.text)
        if not _FOREIGN.keys().isdisjoint([token.text for token in self._tokens]):
            self._tokens = [native for token in self._tokens for native in self._translated(token)]
        self._token = self._tokens[0]

    def whole(self) -> Tree | None:
        if self._ended:
            self._complain("R201", "the expression is empty", self._token)
            return None
        try:
            tree = self._junction()
        except _TooDeep:
            return None
        if not self._ended:
            self._unexpected("`and`, `or` or the end")
        return tree

    # A text token keeps its quotes, so comparing the text of a token with a word never takes one for the other.

    def _advance(self, count: int = 1) -> None:
        self._at += count
        self._token = self._tokens[self._at]

    @property
    def _ended(self) -> bool:
        return self._token.kind == "end"

    def _junction(self) -> Tree | None:
        start = self._token
        parts = [self._negation()]
        word = self._token.text
        mixed = False
        while self._token.text in ("and", "or"):
            if self._token.text != word and not mixed:
                mixed = True
                message = f"`{word}` and `{self._token.text}` are mixed without parentheses"
                advice = "write `(a and b) or c`, or `a and (b or c)`, whichever is meant"
                self._complain("R205", message, self._token, help=advice)
            self._advance()
            parts.append(self._negation())
        whole = tuple(part for part in parts if part is not None)
        if len(whole) < 2:
            return whole[0] if whole else None
        return Junction("or" if word == "or" else "and", whole, self._span_from(start))

    def _negation(self) -> Tree | None:
        """One part of a junction; None, and the rest of it skipped, when it is broken."""
        start = self._token
        try:
            if start.text == "not":
                self._advance()
                part = self._deeper(start)
                return None if part is None else Negation(part, self._span_from(start))
            if start.text == "(":
                self._advance()
                tree = self._deeper(start)
                self._close(")", start)
                return tree
            return self._comparison()
        except _Broken:
            self._skip()
            return None

    def _deeper(self, start: Token) -> Tree | None:
        """What stands after the `not` or the `(` at `start`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._complain("R206", f"the expression nests deeper than {MAX_DEPTH} levels", start)
            raise _TooDeep
        tree = self._negation() if start.text == "not" else self._junction()
        self._depth -= 1
        return tree

    def _comparison(self) -> Tree:
        start = self._token
        subject = self._operand("a condition")
        if self._token.text == "(" and isinstance(subject, Name):
            arguments = self._listed(")")
            text = self._text.text[start.start : self._tokens[self._at - 1].end]
            return Call(subject, arguments, text, self._span_from(start))
        operator = self._operator()
        if operator is None:
            return Bare(subject, subject.span)
        operands = self._operands(operator)
        ignoring_case = self._token.text == "ignoring"
        if ignoring_case:
            self._advance()
            self._expect("case")
        return Comparison(subject, operator, operands, ignoring_case, self._span_from(start))

    def _operator(self) -> Operator | None:
        """The operator that stands here; None where the comparison ends instead."""
        token = self._token
        for words, operator in _OPERATORS.get(token.text, ()):
            if [each.text for each in self._tokens[self._at : self._at + len(words)]] == words:
                self._advance(len(words))
                return operator
        if token.kind not in ("name", "stray") or token.text in ("and", "or"):
            return None
        if token.kind == "stray" or "." in token.text:
            self._unexpected("an operator, `and` or `or`")
        else:
            whole = " or ".join(f"`{' '.join(words)}`" for words, _ in _OPERATORS.get(token.text, ()))
            advice = f"write {whole}" if whole else did_you_mean(token.text, [*OPERATORS, "and", "or"])
            self._complain("R203", f"unknown operator `{token.text}`", token, help=advice)
        raise _Broken

    def _operands(self, operator: Operator) -> tuple[Operand, ...]:
        match operator.shape:
            case "nothing":
                return ()
            case "list" | "elements" if self._token.text == "[":
                return self._listed("]")
            case "list" | "elements":
                self._unexpected(f"a list, such as `{operator.words} [...]`")
                raise _Broken
            case "range":
                low = self._operand("a value")
                self._expect("and")
                return low, self._operand("a value")
            case _ if self._token.text == "[":
                advice = _LISTS_FOR.get(operator.words, "")
                self._complain("R207", f"`{operator.words}` takes one value, not a list", self._token, help=advice)
                self._listed("]")
                raise _Broken
            case _:
                return (self._operand("a value"),)

    def _listed(self, closing: str) -> tuple[Operand, ...]:
        """Operands with commas between them, from the opening bracket, which stands here, to the closing one."""
        opening = self._token
        self._advance()
        found: list[Operand] = []
        while self._token.text != closing:
            if found:
                if self._token.text != ",":
                    break
                self._advance()
                if self._token.text == closing:
                    break
            found.append(self._operand("a value"))
        self._close(closing, opening)
        return tuple(found)

    def _operand(self, wanted: str) -> Operand:
        token = self._token
        if token.kind in ("stray", "sign", "end") or token.text in _NO_OPERANDS:
            self._unexpected(wanted)
            raise _Broken
        self._advance()
        span = self._text.span(token.start, token.end)
        match token.kind:
            case "name" if token.text in _BOOLEANS:
                return Literal("boolean", token.text, span)
            case "name":
                return Name(token.text, span)
            case "text":
                return Literal("text", unquote(token.text), span)
            case "number" if self._token.kind == "name" and self._token.text not in RESERVED_WORDS:
                unit = self._token.text
                self._advance()
                return Literal("duration", f"{token.text} {unit}", self._span_from(token))
            case "number" | "timestamp" | "version" | "duration" as kind:
                return Literal(kind, token.text, span)
            case _:
                raise AssertionError(token.kind)

    def _expect(self, text: str) -> None:
        if self._token.text != text:
            self._unexpected(f"`{text}`")
            raise _Broken
        self._advance()

    def _close(self, closing: str, opening: Token) -> None:
        if self._ended:
            self._complain("R204", f"`{opening.text}` is not closed", opening)
            raise _Broken
        self._expect(closing)

    def _skip(self) -> None:
        """On to the next `and`, `or` or closing parenthesis that belongs to what is being read, or to the end."""
        depth = 0
        while not self._ended:
            if depth <= 0 and self._token.text in ("and", "or", ")"):
                return
            depth += (self._token.text in "([") - (self._token.text in ")]")
            self._advance()

    def _translated(self, token: Token) -> list[Token]:
        """The token itself, or those that an author used to another language meant, with a complaint."""
        native = _FOREIGN.get(token.text)
        if native is None:
            return [token]
        self._complain("R202", f"`{token.text}` is written `{native}`", token)
        kind: TokenKind = "name" if native[0].isalpha() else "sign"
        return [Token(kind, word, token.start, token.end) for word in native.split()]

    def _unexpected(self, wanted: str) -> None:
        token = self._token
        advice = "use straight quotes" if set(token.text) & _CURLY_QUOTES else ""
        if token.kind == "end":
            self._complain("R208", f"{wanted} is missing at the end", token, help=advice)
        elif token.kind == "stray" and token.text[0] in "\"'":
            self._complain("R204", "the text is not closed", token, help=f"end it with {token.text[0]}")
        else:
            self._complain("R208", f"expected {wanted}, found `{token.text}`", token, help=advice)

    def _complain(self, code: str, message: str, token: Token, help: str = "") -> None:
        span = self._text.span(token.start, token.end)
        self._complaints.append(Diagnostic(code, "error", message, span, help=help))

    def _span_from(self, start: Token) -> Span:
        """From `start` to the last token read."""
        return self._text.span(start.start, self._tokens[self._at - 1].end)
