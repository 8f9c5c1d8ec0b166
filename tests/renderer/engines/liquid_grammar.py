"""Random Liquid templates, and random data for both languages."""

import re
from random import Random

from tessera.renderer.engines.liquid.filters import liquid_filters

ROOTS = ("a", "b", "items", "s")
MEMBERS = ("x", "y", "title", "size", "first", "k", "list")
LOCALS = ("a", "v", "w", "item")
HOSTILE = (
    "self",
    "context",
    "buffer",
    "__class__",
    "_v",
    "class",
    "limit",
    "in",
    "v-1",
    "v?",
    "ß",
    "None",
    "get",
    "partial",
)
LOOP_FIELDS = ("index", "index0", "rindex", "rindex0", "first", "last", "length", "parentloop.index", "name", "x")
TABLE_FIELDS = ("col", "col0", "col_first", "col_last", "row", "index", "rindex0", "last", "length")
FILTERS = tuple(sorted(liquid_filters()))
TEXTS = ("t", "\n", "  ", " <i>\n", "{ % }", "\\", "''", '"', "\u2028", "%s{0}", "\t-\n")
WRITTEN = ("'x'", "'title'", "1", "0", "true")
PARTIALS = ("p0", "p1", "p2")
WORDS = ("x", "y", "title", "<b>", "", "k", "1", " ")


def data(random: Random) -> dict[str, object]:
    """Return random inputs. `items` is a list, as everywhere."""
    inputs: dict[str, object] = {name: _value(random, 3) for name in ("a", "b", "s", "v") if random.random() < 0.85}
    if random.random() < 0.9:
        inputs["items"] = [_object(random, 2) for _ in range(random.randrange(4))]
    return inputs


def _value(random: Random, depth: int) -> object:
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return random.choice((None, True, False, 0, 1, 2, "x", "title", "", "<b>", "k", "item"))
    if kind < 0.65:
        return _object(random, depth - 1)
    if kind < 0.85:
        return [_object(random, depth - 1) for _ in range(random.randrange(3))]
    return [_value(random, depth - 1) for _ in range(random.randrange(3))]


def _object(random: Random, depth: int) -> dict[str, object]:
    return {name: _value(random, depth) for name in MEMBERS if random.random() < 0.55}


class LiquidGrammar:
    """Writes a template and the partials that it takes in; partials take in only later ones."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.level = 0

    def templates(self) -> dict[str, str]:
        """Return texts by file name; `main.liquid` is the one to render."""
        texts = {}
        for level, name in reversed(list(enumerate(PARTIALS, 1))):
            self.level = level
            texts[f"{name}.liquid"] = self.body(2)
        self.level = 0
        main = self.body(4)
        if self.random.random() < 0.1:
            blocks = "".join(f"{{% block {name} %}}{self.body(2)}{{% endblock %}}" for name in "mn")
            texts["base.liquid"] = f"{self.body(1)}{blocks}{self.body(1)}"
            block = f"{{% block m %}}{self.body(2)}{self.choice('', '{{ block.super }}')}{{% endblock %}}"
            main = f"{self.body(1)}{{% extends 'base' %}}{block}"
        return {name: self.dashed(text) for name, text in {**texts, "main.liquid": main}.items()}

    def dashed(self, text: str) -> str:
        """Put dashes into some delimiters, which take away white space around them."""
        share = self.random.choice((0.0, 0.0, 0.1, 0.5))
        text = re.sub(r"\{[{%]", lambda opening: opening[0] + "-" * (self.random.random() < share), text)
        return re.sub(r"[}%]\}", lambda closing: "-" * (self.random.random() < share) + closing[0], text)

    def choice(self, *options: str) -> str:
        return self.random.choice(options)

    def body(self, depth: int) -> str:
        return "".join(self.tag(depth) for _ in range(self.random.randrange(1, 4)))

    def path(self) -> str:
        random = self.random
        if random.random() < 0.08:
            return self.choice(
                *(f"forloop.{name}" for name in LOOP_FIELDS), *(f"tablerowloop.{n}" for n in TABLE_FIELDS)
            )
        if random.random() < 0.04:
            return f"{self.choice(*ROOTS, *HOSTILE[:6])}.{self.choice(*HOSTILE)}"
        path = self.choice(*ROOTS, *LOCALS, "forloop", "block" if random.random() < 0.05 else "a")
        for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3))):
            step = random.random()
            if step < 0.8:
                path += "." + self.choice(*MEMBERS, "last")
            elif step < 0.88:
                path += self.choice("[0]", "[1]", "[-1]")
            elif step < 0.95:
                path += f"['{self.choice(*MEMBERS)}']"
            else:
                path += f"[{self.choice(*ROOTS, *LOCALS)}{self.choice('', '.x', '.k')}]"
        return path

    def primitive(self) -> str:
        kind = self.random.random()
        if kind < 0.75:
            return self.path()
        if kind < 0.95:
            return self.choice("'x'", "'title'", "1", "0", "true", "nil", "'<b>'", "(1..2)", "empty", "blank")
        return self.choice(
            "false", "-1", "1.5", "2.", "''", '"it\'s"', "'a\\'", "'\n'", "'{\\x41}'", f"({self.path()}..3)"
        )

    def key(self) -> str:
        return self.choice("'x'", "'title'", "'k'", "'size'", "'x'", self.path())

    def filtered(self) -> str:
        expression = self.primitive()
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2, 3))):
            expression += " | " + self.filter()
        return expression

    def filter(self) -> str:
        plain = ("first", "last", "size", "reverse", "compact", "uniq", "sort", "join", "upcase", "escape", "sum")
        kind = self.random.random()
        if kind < 0.35:
            return self.choice(*plain)
        if kind < 0.45:
            given = ", ".join(self.primitive() for _ in range(self.random.randrange(3)))
            return self.choice(*FILTERS) + (f": {given}" if given else "")
        if kind < 0.75:
            name = self.choice(
                "map", "where", "reject", "find", "has", "find_index", "sort", "sort_natural", "uniq", "compact", "sum"
            )
            value = f", {self.primitive()}" if name in ("where", "reject", "find", "has") else ""
            return f"{name}: {self.key()}{value if self.random.random() < 0.4 else ''}"
        return self.choice(
            f"default: {self.primitive()}",
            f"default: {self.primitive()}, allow_false: true",
            f"concat: {self.path()}",
            "slice: 0, 2",
            "slice: 1",
            f"append: {self.primitive()}",
            "json_script",
            "split: ''",
            f"plus: {self.primitive()}",
        )

    def condition(self) -> str:
        kind = self.random.random()
        if kind < 0.4:
            return self.path()
        if kind < 0.7:
            return f"{self.primitive()} {self.choice('==', '!=')} {self.primitive()}"
        if kind < 0.75:
            return f"{self.path()} {self.choice('==', '!=', '<', '>=', 'contains')} {self.choice(*WRITTEN)}"
        if kind < 0.8:
            return f"{self.path()} contains {self.primitive()}"
        if kind < 0.8:
            return f"{self.primitive()} {self.choice('<', '>', '<=', '>=', '<>')} {self.primitive()}"
        return f"{self.path()} {self.choice('and', 'or')} {self.path()} == {self.primitive()}"

    def tag(self, depth: int) -> str:
        kind = self.random.random()
        if kind < 0.12:
            return self.choice(*TEXTS)
        if depth == 0 or kind < 0.35:
            return self.choice("{{ %s }}", "{{ %s }}", "{% echo %s %}").replace("%s", self.filtered())
        if kind < 0.45:
            return f"{{% assign {self.name()} = {self.filtered()} %}}"
        if kind < 0.65:
            return self.block(depth - 1)
        if kind < 0.8 and self.level < len(PARTIALS):
            return self.partial()
        if kind < 0.85:
            return self.aside(depth - 1)
        return self.choice(
            f"{{% capture {self.name()} %}}{self.body(depth - 1)}{{% endcapture %}}",
            f"{{% case {self.primitive()} %}}{{% when {self.primitive()}, {self.primitive()} %}}{self.body(depth - 1)}"
            f"{{% when {self.primitive()} or {self.primitive()} %}}{self.body(depth - 1)}{{% else %}}"
            f"{self.body(depth - 1)}{{% endcase %}}",
            f"{{% cycle {self.choice('', '', 'v: ', '1: ')}{self.primitive()}, {self.primitive()} %}}",
            f"{{% {self.choice('increment', 'decrement')} {self.name()} %}}",
            f"{{% ifchanged %}}{self.body(depth - 1)}{{% endifchanged %}}",
            self.table(depth - 1),
            self.lines(),
            f"{{% macro m {self.choice(*LOCALS)}, w: {self.primitive()} %}}{self.body(depth - 1)}{{% endmacro %}}"
            f"{{% call m {self.primitive()}, v: {self.primitive()} %}}",
        )

    def name(self) -> str:
        return self.choice(*LOCALS, *LOCALS, self.choice(*HOSTILE[:7]))

    def aside(self, depth: int) -> str:
        """Something that writes nothing, or that is no template, or that ends one."""
        return self.choice(
            f"{{% comment %}}{self.body(depth)}{{% endcomment %}}",
            f"{{% # {self.path()} %}}",
            f"{{% doc %}}{self.choice(*TEXTS)}{{% enddoc %}}",
            f"{{% raw %}}{self.choice(*TEXTS)}{{{{ a }}}}{{% if {{% endraw %}}",
            "{% if a %} {% endif %}",
            f"{{% if {self.condition()} %}}{{% {self.choice('break', 'continue')} %}}{{% endif %}}",
        )

    def table(self, depth: int) -> str:
        options = self.choice(" cols: 2", " cols: 2", "", " cols: 1 limit: 2", f" cols: {self.path()}", " offset: 1")
        head = f"{{% tablerow {self.choice(*LOCALS)} in {self.primitive()}{options} %}}"
        return f"{head}{self.body(depth)}{{% endtablerow %}}"

    def lines(self) -> str:
        """Tags without delimiters."""
        inner = f"echo {self.filtered()}\n{self.choice('break', 'continue', '# nothing', f'echo {self.path()}')}"
        return (
            f"{{% liquid\nassign {self.choice(*LOCALS)} = {self.filtered()}\nif {self.condition()}\n{inner}\nelse\n"
            f"echo {self.filtered()}\nendif\nfor v in {self.primitive()}\n{inner}\nendfor %}}"
        )

    def block(self, depth: int) -> str:
        if self.random.random() < 0.5:
            tag = self.choice("if", "if", "unless")
            middle = f"{{% elsif {self.condition()} %}}{self.body(depth)}" if self.random.random() < 0.3 else ""
            end = f"{{% else %}}{self.body(depth)}" if self.random.random() < 0.4 else ""
            return f"{{% {tag} {self.condition()} %}}{self.body(depth)}{middle}{end}{{% end{tag} %}}"
        options = self.choice(
            "",
            "",
            " limit: 2",
            " offset: 1",
            " reversed",
            f" limit: {self.path()}",
            " offset: continue",
            " reversed limit: 1 offset: 1",
            f" offset: {self.path()}",
        )
        stop = self.choice(
            "", "", "", f"{{% if {self.condition()} %}}{{% {self.choice('break', 'continue')} %}}{{% endif %}}"
        )
        end = f"{{% else %}}{self.body(depth)}" if self.random.random() < 0.3 else ""
        head = f"{{% for {self.choice(*LOCALS)} in {self.primitive()}{options} %}}"
        return f"{head}{self.body(depth)}{stop}{self.body(depth)}{end}{{% endfor %}}"

    def partial(self) -> str:
        tag = self.choice("include", "include", "render", "render")
        name = self.choice(*PARTIALS[self.level :])
        bound = self.choice("", "", f" with {self.path()}", f" for {self.path()}")
        alias = f" as {self.choice(*LOCALS)}" if bound and self.random.random() < 0.6 else ""
        given = "".join(f", {self.choice(*LOCALS)}: {self.primitive()}" for _ in range(self.random.randrange(3)))
        return f"{{% {tag} '{name}'{bound}{alias}{given} %}}"
