"""Random Jinja templates."""

from random import Random

MEMBERS = ("x", "y", "title", "k", "list")
NAMES = ("a", "b", "s", "v", "item", "items")
LOCALS = ("a", "v", "item", "w")
WRITTEN = ("'x'", "'title'", "('x', 'k')", "['x', 1]")
PARTIALS = ("p0", "p1", "p2")


class JinjaGrammar:
    """Writes a template and those that it takes in; partials take in only later ones."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.level = 0
        self.in_macro = 0

    def templates(self) -> dict[str, str]:
        """Return texts by file name; `main.jinja` is the one to render."""
        texts = {}
        for level, name in reversed(list(enumerate(PARTIALS, 1))):
            self.level = level
            texts[f"{name}.jinja"] = self.macro(1) + self.body(2)
        self.level = 0
        main = self.body(4)
        if self.random.random() < 0.15:
            blocks = "".join(
                f"{{% block {name}{self.choice('', ' scoped')} %}}{self.body(2)}{{% endblock %}}" for name in "mn"
            )
            loop = f"{{% for {self.choice(*LOCALS)} in {self.path()} %}}{blocks}{{% endfor %}}"
            texts["base.jinja"] = f"{self.body(1)}{self.choice(blocks, loop)}{self.body(1)}"
            block = f"{{% block m %}}{self.body(2)}{self.choice('', '{{ super() }}', '{{ self.n() }}')}{{% endblock %}}"
            extends = self.choice(
                "{% extends 'base' %}", f"{{% if {self.condition()} %}}{{% extends 'base' %}}{{% endif %}}"
            )
            main = f"{self.body(1)}{extends}{self.setting(1)}{block}"
        return {**texts, "main.jinja": main}

    def choice(self, *options: str) -> str:
        return self.random.choice(options)

    def body(self, depth: int) -> str:
        return "".join(self.tag(depth) for _ in range(self.random.randrange(1, 4)))

    def path(self) -> str:
        random = self.random
        path = self.choice(*NAMES, *LOCALS, "ns", "loop.previtem" if random.random() < 0.1 else "a")
        for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3))):
            step = random.random()
            if step < 0.75:
                path += "." + self.choice(*MEMBERS)
            elif step < 0.84:
                path += self.choice("[0]", "[1]", "[-1]", "[:2]", "[1:]")
            elif step < 0.92:
                path += f"['{self.choice(*MEMBERS)}']"
            elif step < 0.96:
                path += f".get('{self.choice(*MEMBERS)}'{self.choice('', ', ' + self.choice(*NAMES))})"
            else:
                path += f"[{self.choice(*NAMES)}{self.choice('', '.x', '.k')}]"
        return path

    def primitive(self) -> str:
        kind = self.random.random()
        if kind < 0.75:
            return self.path()
        if kind < 0.85:
            return self.choice(f"[{self.path()}, {self.path()}]", f"{{'x': {self.path()}, 'k': {self.path()}}}")
        return self.choice("'x'", "'title'", "1", "0", "true", "none", "'<b>'", "range(2)", f"dict(x={self.path()})")

    def attribute(self) -> str:
        return self.choice("'x'", "'title'", "'k'", "'x.y'", "'list.0'", "'0'", self.path())

    def expression(self) -> str:
        expression = self.primitive()
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2, 3))):
            expression = f"({expression} | {self.filter()})"
            if self.random.random() < 0.2:
                expression += "." + self.choice(*MEMBERS)
        kind = self.random.random()
        if kind < 0.08:
            return f"({expression} if {self.condition()} else {self.primitive()})"
        if kind < 0.14:
            return f"({expression} {self.choice('and', 'or')} {self.primitive()})"
        if kind < 0.2:
            return f"({expression} {self.choice('~', '+', '~', '~')} {self.primitive()})"
        return expression

    def filter(self) -> str:
        kind = self.random.random()
        if kind < 0.4:
            return self.choice(
                "first",
                "last",
                "length",
                "reverse",
                "unique",
                "sort",
                "join",
                "upper",
                "e",
                "sum",
                "list",
                "tojson",
                "string",
                "batch(2)",
                "slice(2)",
                "select",
                "reject",
                "min",
                "max",
                "items",
                "dictsort",
                "count",
            )
        attribute = self.attribute()
        if kind < 0.8:
            return self.choice(
                f"map(attribute={attribute})",
                f"map(attribute={attribute}, default={self.primitive()})",
                f"selectattr({attribute})",
                f"rejectattr({attribute}, 'equalto', {self.primitive()})",
                f"sort(attribute={attribute})",
                f"unique(attribute={attribute})",
                f"sum(attribute={attribute})",
                f"join(', ', attribute={attribute})",
                f"groupby({attribute})",
                f"groupby({attribute}, default={self.primitive()})",
                f"min(attribute={attribute})",
            )
        return self.choice(
            f"default({self.primitive()})",
            f"d({self.primitive()}, true)",
            f"batch(2, {self.primitive()})",
            "map('string')",
            "map('first')",
            "select('string')",
            "reject('none')",
            "truncate(3)",
        )

    def condition(self) -> str:
        kind = self.random.random()
        if kind < 0.4:
            return self.path()
        if kind < 0.6:
            return f"{self.primitive()} {self.choice('==', '!=')} {self.primitive()}"
        if kind < 0.64:
            return f"{self.path()} {self.choice('==', '!=', '<', '>=')} {self.choice('1', 'true', *WRITTEN)}"
        if kind < 0.68:
            return f"{self.path()} {self.choice('in', 'not in')} {self.choice('[1, 0]', '[0, none]', *WRITTEN)}"
        if kind < 0.7:
            return f"{self.primitive()} in {self.primitive()}"
        if kind < 0.85:
            return f"{self.path()} is {self.choice('defined', 'none', 'string', 'mapping', 'iterable', 'undefined')}"
        return f"{self.choice('', 'not ')}{self.path()} {self.choice('and', 'or')} {self.path()}"

    def setting(self, depth: int) -> str:
        return self.choice(
            f"{{% set {self.choice(*LOCALS)} = {self.expression()} %}}",
            f"{{% set {self.choice(*LOCALS)} = {self.expression()} %}}",
            f"{{% set {self.choice(*LOCALS)} %}}{self.body(depth - 1) if depth else ''}{{% endset %}}",
            f"{{% set ns = namespace(x={self.path()}) %}}",
            f"{{% if ns is defined %}}{{% set ns.{self.choice('x', 'k')} = {self.expression()} %}}{{% endif %}}",
        )

    def macro(self, depth: int) -> str:
        self.in_macro += 1
        name = f"m{self.level}"
        text = (
            f"{{% macro {name}({self.choice('a', 'v', 'item')}, w={self.primitive()}) %}}{self.body(depth)}"
            f"{self.choice('', '', '{{ caller(w) if caller }}', '{{ kwargs }}{{ varargs }}')}"
            f"{self.choice('', f'{{% if w %}}{{{{ {name}(w.x, w.k) }}}}{{% endif %}}')}{{% endmacro %}}"
        )
        self.in_macro -= 1
        return text

    def call(self, name: str) -> str:
        arguments = f"{self.expression()}{self.choice('', f', {self.expression()}', f', w={self.expression()}')}"
        if self.random.random() < 0.3:
            return f"{{% call(v) {name}({arguments}) %}}{{{{ v }}}}{self.body(0)}{{% endcall %}}"
        return f"{{{{ {name}({arguments}) }}}}"

    def tag(self, depth: int) -> str:
        kind = self.random.random()
        if depth == 0 or kind < 0.3:
            return f"{{{{ {self.expression()} }}}}"
        if kind < 0.44:
            return self.setting(depth)
        if kind < 0.64:
            return self.block(depth - 1)
        if kind < 0.8 and self.level < len(PARTIALS):
            return self.partial()
        if kind < 0.87 and self.in_macro < 2:
            return self.macro(depth - 1) + self.call(f"m{self.level}")
        return self.choice(
            f"{{% with {self.choice(*LOCALS)} = {self.expression()} %}}{self.body(depth - 1)}{{% endwith %}}",
            f"{{% filter {self.choice('upper', 'trim', 'e')} %}}{self.body(depth - 1)}{{% endfilter %}}",
        )

    def block(self, depth: int) -> str:
        if self.random.random() < 0.5:
            middle = f"{{% elif {self.condition()} %}}{self.body(depth)}" if self.random.random() < 0.3 else ""
            end = f"{{% else %}}{self.body(depth)}" if self.random.random() < 0.4 else ""
            return f"{{% if {self.condition()} %}}{self.body(depth)}{middle}{end}{{% endif %}}"
        target = self.choice(*LOCALS, "v, w" if self.random.random() < 0.3 else "v")
        iterable = (
            self.expression()
            if "," not in target
            else self.choice(
                f"{self.path()}.items()",
                f"{self.path()} | items",
                f"{self.path()} | groupby('k')",
                f"{self.path()} | dictsort",
            )
        )
        test = f" if {self.condition()}" if self.random.random() < 0.2 else ""
        end = f"{{% else %}}{self.body(depth)}" if self.random.random() < 0.3 else ""
        if self.random.random() < 0.1:
            loop = f"{{{{ loop({self.choice(*LOCALS)}.list) }}}}"
            return f"{{% for {target} in {iterable} recursive %}}{self.body(depth)}{loop}{{% endfor %}}"
        return f"{{% for {target} in {iterable}{test} %}}{self.body(depth)}{end}{{% endfor %}}"

    def partial(self) -> str:
        level = self.random.randrange(self.level, len(PARTIALS))
        name, macro = PARTIALS[level], f"m{level + 1}"
        context = self.choice("", "", " with context", " without context")
        return self.choice(
            f"{{% include '{name}' %}}",
            f"{{% include '{name}'{context if self.random.random() < 0.3 else ''} %}}",
            f"{{% include ['{name}', 'gone'] ignore missing %}}",
            f"{{% import '{name}' as lib{context} %}}{self.call(f'lib.{macro}')}{{{{ lib.v }}}}",
            f"{{% from '{name}' import {macro} as m, v{context} %}}{self.call('m')}",
        )
