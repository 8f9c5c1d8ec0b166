"""The code of every complaint about rule files, and what it means.

R0xx: files and their form; R1xx: names; R2xx: the grammar of expressions; R3xx: types and values; R4xx: what is well
formed but cannot be meant; R5xx: what can be proved of rules that are right one by one. A code never changes its
meaning, and one that is retired is not used again.
"""

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "R001": "A rule file cannot be read. Rule files are UTF-8 text of at most 4 MiB whose names end in `.yaml`.",
    "R002": "A character is not allowed in rule files: control characters, exotic line ends, halves of "
    "surrogate pairs.",
    "R003": "The file is not YAML. Text that holds `: ` or ` #`, or begins with a special character, needs quotes.",
    "R004": "A rule file is a single YAML document without directives.",
    "R005": "Anchors and aliases (`&name`, `*name`) are not allowed: what a rule says should stand "
    "where the rule does.",
    "R006": "Tags (`!name`) are not allowed: the key says what type a value has.",
    "R007": "Mappings and lists nest deeper than any rule file needs.",
    "R008": "A key is a mapping or a list. Keys are words.",
    "R009": "A key stands twice in one mapping. YAML readers would silently drop one of the two values.",
    "R010": "A key is not among those that may stand here; often a slip of the keyboard, or a key one level too deep.",
    "R011": "Something that must be said is missing.",
    "R012": "A mapping, a list or a single value stands where one of the others is wanted.",
    "R013": "A value cannot be read as what its key wants.",
    "R014": "Something is declared twice, perhaps in two files, or listed twice.",
    "R015": "Two things that are said together contradict each other, or a name is taken.",
    "R101": "No such segment is declared in `segments.yaml`.",
    "R102": "No such reusable condition is declared in `conditions.yaml`.",
    "R103": "The page declares no such parameter. What is shared by all pages cannot read a page's parameters at all.",
    "R104": 'No such fact is declared in `facts.yaml`. Text needs quotes: `visitor.tier == "gold"`.',
    "R105": "No such call to action is declared in `ctas.yaml`.",
    "R106": "No such item list is declared in `lists.yaml`.",
    "R107": "No such experiment is declared in `experiments.yaml`.",
    "R108": "An experiment has no such arm, or a call to action no such parameter.",
    "R109": "A test names a slot that the page does not have, or a rule that the slot does not have.",
    "R110": "A definition refers to itself, perhaps by way of others.",
    "R111": "A condition is too large when everything it refers to is written out.",
    "R112": "A fact is declared with `source: request`, but the server offers none of that name: it is never known.",
    "R201": "An expression is empty.",
    "R202": "A sign or word of another language; the message says how it is written here.",
    "R203": "After a fact stands a word that is no operator.",
    "R204": "A quote or a bracket is opened and not closed.",
    "R205": "`and` and `or` stand side by side. Readers disagree on which binds tighter, so parentheses must say it.",
    "R206": "Parentheses and `not` nest too deep to be understood. Give parts of it names, as segments or conditions.",
    "R207": "A list stands where one value is wanted.",
    "R208": "Something else is wanted at this place of the expression.",
    "R209": "An expression stands on one line, plain or in quotes, so that complaints can point into it.",
    "R210": "An expression is longer than 20,000 characters. A list that long is better a set, or a "
    "segment of the profile.",
    "R301": "Values of different types, or of different currencies, are compared. They would never be equal.",
    "R302": "A value is not among those that its fact, parameter or field can have.",
    "R303": "A value is written in a way that its type does not have: too many decimals, no such date or unit.",
    "R304": "The operator does not work on facts of this type.",
    "R305": "A fact stands where a written value is wanted, or the other way round.",
    "R306": "`ignoring case` stands where there is no case to ignore: only open text has one.",
    "R307": "The pattern is not one that RE2 takes; it has no look-around and no backreferences, so "
    "that it stays fast.",
    "R308": "A fact that is not boolean stands alone as a condition.",
    "R309": "A reusable condition is given more or fewer arguments than it has parameters.",
    "R401": "The `during` of a rule cannot be meant as it stands.",
    "R402": "A link begins neither with `/`, `#` or `?` nor with `https:`, `http:`, `mailto:` or `tel:`.",
    "R403": "A stretch of time, of a group or of buckets ends before it begins.",
    "R404": "The arms of an experiment are fewer than two, or their weights do not sum to exactly 100.",
    "R405": "The last layout of a page is the one for everybody else, so it has no condition.",
    "R406": "A test gives a computed fact. Give what it is computed from.",
    "R407": "A text lacks one of the locales that visitors may have; another one stands in.",
    "R408": "The steps of a rollout have no order: each is later than the one before, and larger.",
    "R410": "The ranges of an experiment's arms overlap, or do not come to their weights.",
    "R501": "Nobody can ever be as a condition wants, or an experiment is over: the rule or segment has no effect.",
    "R502": "Earlier rules take every visitor whom this rule is for, so it never decides.",
    "R503": "Two running experiments in one slot are for some visitors in common, so that the later one measures "
    "a biased rest.",
    "R504": "The rules of a slot name most values of a fact one by one, and leave some out.",
    "R505": "Something is declared, and nothing names it: no rule, no other declaration, no template.",
    "R506": "A slot promises with `share` who may share it, and something that it can read narrows that.",
    "R507": "A slot promises with `budget` how many contexts it differs between, and tells more apart.",
}
