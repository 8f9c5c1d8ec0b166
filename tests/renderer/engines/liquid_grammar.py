"""Random Liquid templates, and random data for both languages."""

from random import Random

ROOTS = ("a", "b", "items", "s")
MEMBERS = ("x", "y", "title", "size", "first", "k", "list")
LOCALS = ("a", "v", "w", "item")
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
        return {**texts, "main.liquid": main}

    def choice(self, *options: str) -> str:
        return self.random.choice(options)

    def body(self, depth: int) -> str:
        return "".join(self.tag(depth) for _ in range(self.random.randrange(1, 4)))

    def path(self) -> str:
        random = self.random
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
        return self.choice("'x'", "'title'", "1", "0", "true", "nil", "'<b>'", "(1..2)", "empty", "blank")

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
        if kind < 0.4:
            return self.choice(*plain)
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
        return f"{self.path()} {self.choice('and', 'or')} {self.path()} == {self.primitive()}"

    def tag(self, depth: int) -> str:
        kind = self.random.random()
        if depth == 0 or kind < 0.3:
            return f"{{{{ {self.filtered()} }}}}"
        if kind < 0.42:
            return f"{{% assign {self.choice(*LOCALS)} = {self.filtered()} %}}"
        if kind < 0.62:
            return self.block(depth - 1)
        if kind < 0.8 and self.level < len(PARTIALS):
            return self.partial()
        return self.choice(
            f"{{% capture {self.choice(*LOCALS)} %}}{self.body(depth - 1)}{{% endcapture %}}",
            f"{{% case {self.primitive()} %}}{{% when {self.primitive()}, {self.primitive()} %}}{self.body(depth - 1)}"
            f"{{% when {self.primitive()} %}}{self.body(depth - 1)}{{% else %}}{self.body(depth - 1)}{{% endcase %}}",
            f"{{% cycle {self.primitive()}, {self.primitive()} %}}",
            f"{{% {self.choice('increment', 'decrement')} {self.choice(*LOCALS)} %}}",
            f"{{% ifchanged %}}{self.body(depth - 1)}{{% endifchanged %}}",
            f"{{% tablerow {self.choice(*LOCALS)} in {self.primitive()} cols: 2 %}}{self.body(depth - 1)}"
            "{% endtablerow %}",
            f"{{% liquid\nassign {self.choice(*LOCALS)} = {self.filtered()}\necho {self.filtered()} %}}",
            f"{{% macro m {self.choice(*LOCALS)}, w: {self.primitive()} %}}{self.body(depth - 1)}{{% endmacro %}}"
            f"{{% call m {self.primitive()}, v: {self.primitive()} %}}",
        )

    def block(self, depth: int) -> str:
        if self.random.random() < 0.5:
            tag = self.choice("if", "if", "unless")
            middle = f"{{% elsif {self.condition()} %}}{self.body(depth)}" if self.random.random() < 0.3 else ""
            end = f"{{% else %}}{self.body(depth)}" if self.random.random() < 0.4 else ""
            return f"{{% {tag} {self.condition()} %}}{self.body(depth)}{middle}{end}{{% end{tag} %}}"
        options = self.choice(
            "", "", " limit: 2", " offset: 1", " reversed", f" limit: {self.path()}", " offset: continue"
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
