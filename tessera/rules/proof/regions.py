"""Whom the rules of a slot are for, as ways over the slot's axes."""

from collections.abc import Iterable, Mapping

from tessera.rules.conditions import Expr
from tessera.rules.evaluate import is_disabled
from tessera.rules.proof.axes import Axes
from tessera.rules.proof.ways import Condition, TooMany, Ways, meet
from tessera.rules.proof.witness import Witness, witness
from tessera.rules.ruleset import Rule, Slot
from tessera.rules.shares import Rollout


class Regions:
    """The regions of one slot's rules. Windows and experiments are axes too, so that rules may share them."""

    def __init__(self, slot: Slot, computed: Mapping[str, Expr]) -> None:
        self.rules = [rule for rule in slot.rules if not is_disabled(rule)]
        self.axes = Axes((rule.when for rule in self.rules if rule.when is not None), computed)
        self._condition = Condition(self.axes, computed)
        self._windows: dict[object, str] = {}
        self._rollouts: dict[Rollout, str] = {}
        self._done: dict[tuple[str, bool], Ways | None] = {}

    def at_most(self, rule: Rule) -> Ways | None:
        """Whom a rule may take: nobody outside of these ways. None where that cannot be told."""
        return self._region(rule, lenient=rule.on_unknown.policy == "match")

    def at_least(self, rule: Rule) -> Ways:
        """Whom a rule takes for sure: everybody in these ways who was not taken before."""
        return self._region(rule, lenient=False) or ()

    def overlap(self, one: Rule, other: Rule) -> Witness | None:
        """Somebody whom both rules are for, each by itself; None where there is nobody, or that cannot be told."""
        for way in self.at_least(one):
            for another in self.at_least(other):
                if (met := meet(way, another)) is not None:
                    return witness(met, self.axes)
        return None

    def _region(self, rule: Rule, *, lenient: bool) -> Ways | None:
        if (rule.name, lenient) not in self._done:
            self._done[rule.name, lenient] = self._ways(rule, lenient)
        return self._done[rule.name, lenient]

    def _ways(self, rule: Rule, lenient: bool) -> Ways | None:
        try:
            parts = [self._condition.ways(rule.when, lenient=lenient)] if rule.when is not None else []
            return self._condition.all_of([*parts, *self._conditions_beside(rule, lenient)])
        except TooMany:
            return None

    def _conditions_beside(self, rule: Rule, lenient: bool) -> Iterable[Ways]:
        """That the window is open, the rollout has come to the visitor, and they take part in the experiment."""
        if rule.during is not None:
            name = self._windows.setdefault(rule.during, f"window {len(self._windows) + 1}")
            axis = self.axes.truth(name, certain=rule.during.zone is not None)
            yield ({name: axis.at((True,)) | (axis.unknown if lenient else 0)},)
        if rule.rollout is not None:
            name = self._rollouts.setdefault(rule.rollout, f"rollout {len(self._rollouts) + 1}")
            axis = self.axes.truth(name, certain=True)
            yield ({name: axis.at((True,))},)
        if rule.split is not None:
            axis = self.axes.truth(f"experiment {rule.split.experiment.name}", certain=True)
            yield ({axis.name: axis.at((True,))},)
