"""Recording a sample of what slots were decided on, for `tessera diff` and `tessera explain --context`.

Only the facts that a slot's rules demand are recorded, and never an id: whatever visitors are split by is replaced by
a digest keyed with the site's secret, beside the bucket that the real value has in each experiment. Whoever has the
secret could still find out which digest is whose. Writing happens in a thread of its own; answers neither wait for it
nor fail with it: what it cannot keep up with, or cannot write, is dropped and counted.
"""

import hmac
import json
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from logging.handlers import RotatingFileHandler
from pathlib import Path
from queue import Full, Queue
from threading import Thread
from typing import IO, NamedTuple

from tessera.renderer.plans import SlotPlan
from tessera.renderer.tally import RECORDING_DROPS, Tally
from tessera.rules.assign import OUTSIDE, Read, seat_by, seat_in, unit_of
from tessera.rules.facts import VISITOR_ID, Value
from tessera.rules.ruleset import Experiment
from tessera.rules.shares import Hashed
from tessera.rules.situations import Situation, json_form
from tessera.rules.split import bucket

FILE = "situations.jsonl"
LOCK = ".lock"
MAX_WAITING = 1000
"""How many situations may wait to be written."""

log = logging.getLogger("tessera")


class _Noted(NamedTuple):
    """What is to be recorded, as it was when the slot was decided."""

    plan: SlotPlan
    now: datetime
    facts: Mapping[str, Value]


class _Files(RotatingFileHandler):
    """Files that follow one another. ``failed`` counts the lines that could not be written."""

    failed = 0
    tally: Tally

    def handleError(self, record: logging.LogRecord) -> None:
        self.failed += 1
        self.tally.add(RECORDING_DROPS)


class Recorder:
    """Records decisions."""

    def __init__(
        self,
        folder: Path,
        secret: str,
        *,
        share: float,
        max_bytes: int,
        files: int,
        draw: Callable[[], float] = random.random,
        tally: Tally | None = None,
    ) -> None:
        """Record a ``share`` in [0, 1] of decisions in ``folder``: in ``files`` (2 or more) of ``max_bytes`` each.

        Of several processes with one folder, one at a time records. Where the folder cannot be made, all of them are
        dropped.
        """
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        self._full = 0
        self._tally = tally or Tally()
        self._lock, is_free = _claim(folder / LOCK)
        self._share = share if is_free else 0.0
        self._draw = draw
        self._secret = secret.encode()
        self._file = _Files(folder / FILE, "a", max_bytes, files - 1, "utf-8", delay=True)
        self._file.tally = self._tally
        self._waiting: Queue[_Noted | None] = Queue(MAX_WAITING)
        self._writer = Thread(target=self._write, name="recording", daemon=True)
        self._writer.start()

    def note(self, plan: SlotPlan, facts: Mapping[str, Value], ages: Mapping[str, float], now: datetime) -> None:
        """Note what a slot was decided on, should it be among the sample; ``ages`` names facts past their fresh life.

        Takes microseconds, and never raises.
        """
        if self._draw() >= self._share:
            return
        demanded = {fact.name: facts[fact.name] for fact in plan.reads if fact.name in facts and fact.name not in ages}
        try:
            self._waiting.put_nowait(_Noted(plan, now, demanded))
        except Full:
            self._full += 1
            self._tally.add(RECORDING_DROPS)

    @property
    def dropped(self) -> int:
        """How many decisions were to be recorded and are not."""
        return self._full + self._file.failed

    def close(self) -> None:
        """Write what waits, and stop; takes as long as that takes."""
        self._waiting.put(None)
        self._writer.join()
        self._file.close()
        if self._lock is not None:
            self._lock.close()
        if self.dropped:
            log.warning("recording: %d situations were dropped", self.dropped)

    def _write(self) -> None:
        while (noted := self._waiting.get()) is not None:
            line = json.dumps({**self._situation(noted).to_json(), "version": noted.plan.version})
            self._file.emit(logging.makeLogRecord({"msg": line}))

    def _situation(self, noted: _Noted) -> Situation:
        plan, facts = noted.plan, noted.facts
        hashed: list[Hashed] = [*plan.experiments, *plan.rollouts]
        hashed += [holdout for experiment in plan.experiments for holdout in experiment.holdouts]
        units = {VISITOR_ID, *(name for each in hashed for name in (each.unit, each.fallback))}
        told = {
            fact.name: self._digest(str(facts[fact.name]))
            if fact.name in units and fact.one_of is None
            else json_form(fact, facts[fact.name])
            for fact in plan.reads
            if fact.name in facts
        }
        places = {each.name: _place(each, facts.get, noted.now) for each in plan.experiments}
        places |= {each.name: seat_by(each, facts.get, noted.now).bucket for each in plan.rollouts}
        buckets = {name: place for name, place in places.items() if place is not None}
        return Situation(plan.page, plan.name, noted.now, told, buckets)

    def _digest(self, value: str) -> str:
        """As good as the value itself for telling visitors apart and splitting them, and for nothing else."""
        return hmac.digest(self._secret, b"recording " + value.encode(), "sha256").hex()[:16]


def _claim(file: Path) -> tuple[IO[str] | None, bool]:
    """Take a lock that goes with this process, and tell whether nobody else has it."""
    try:
        lock = file.open("w")
    except OSError:  # then no line can be written either, which is noticed there
        return None, True
    try:
        flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None, False
    return lock, True


def _place(experiment: Experiment, read: Read, now: datetime) -> float | None:
    """Where a visitor stands in an experiment: in [0, 1), -1 where they take no part; None where that is unknown."""
    seat = seat_in(experiment, read, now)
    if seat.kept and (unit := unit_of(experiment, read)) is not None:
        return bucket(experiment.seed, unit.value, experiment.hash_version)
    if seat.bucket is None and seat.verdict == "unmatched":
        return OUTSIDE
    return seat.bucket
