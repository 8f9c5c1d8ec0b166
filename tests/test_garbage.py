"""Collections in short turns, in a process of their own: they are a matter of the whole process."""

import subprocess
import sys
from textwrap import dedent

BEGUN = """\
import gc
import weakref
from tessera.garbage import THOROUGH, ShortTurns

class Ring:
    def __init__(self):
        self.itself = self

live = ["one"]
gc.callbacks.append(ShortTurns(lambda: live[0]))
"""


def run(script: str) -> None:
    code = BEGUN + dedent(script)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_what_outlived_two_generations_is_looked_through_no_more() -> None:
    run("""
        known = gc.get_freeze_count()
        kept = [Ring() for _ in range(1000)]
        gc.collect(0)
        assert gc.get_freeze_count() <= known  # young ones may yet turn out to be garbage
        gc.collect(1)
        assert gc.get_freeze_count() >= known + 1000
        assert not any(isinstance(each, Ring) for each in gc.get_objects())
    """)


def test_what_is_garbage_at_once_is_collected() -> None:
    run("""
        gone = weakref.ref(Ring())
        gc.collect(1)
        assert gone() is None
    """)


def test_what_is_let_go_of_when_the_site_changes_is_found_as_all_is_looked_through() -> None:
    run("""
        kept = Ring()
        gone = weakref.ref(kept)
        gc.collect(1)
        del kept
        gc.collect()
        assert gone() is not None  # it was set aside
        live[0] = "two"
        gc.collect(1)
        assert gc.get_freeze_count() == 0
        gc.collect(1)
        assert gc.get_freeze_count() == 0
        gc.collect()
        assert gone() is None
        assert gc.get_freeze_count() > 0
    """)


def test_now_and_then_all_is_looked_through_unasked() -> None:
    run("""
        kept = Ring()
        gone = weakref.ref(kept)
        gc.collect(1)
        del kept
        for _ in range(THOROUGH):
            gc.collect(1)
        gc.collect()
        assert gone() is None
    """)
