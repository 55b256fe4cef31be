"""The mistakes that `make mutants` makes."""

from __future__ import annotations

from tests.support.mutations import mutants

SOURCE = '''
"""A module."""
from x import y
LIMIT = 3
def first(items: list[int], among: int = 2) -> int:
    """Not this."""
    logger.debug("nor this")
    for item in items:
        if item < LIMIT and not item:
            continue
        note(item)
        return item + 1
    raise LookupError(f"nothing below {LIMIT}")
'''

CHANGES = [
    "def first(items: list[int], among: int=2) -> int: => def first(items: list[int], among: int=3) -> int:",
    "if item < LIMIT and (not item): => if True:",
    "if item < LIMIT and (not item): => if False:",
    "if item < LIMIT and (not item): => if item < LIMIT or not item:",
    "if item < LIMIT and (not item): => if item <= LIMIT and (not item):",
    "if item < LIMIT and (not item): => if item < LIMIT and item:",
    "continue => pass",
    "continue => break",
    "note(item) => pass",
    "return item + 1 => return item - 1",
    "return item + 1 => return item + 2",
    "raise LookupError(f'nothing below {LIMIT}') => pass",
]


def test_each_mistake_is_made_once_and_alone() -> None:
    found = list(mutants(SOURCE))
    assert sorted(mutant.name for mutant in found) == sorted(f"first: {change}" for change in CHANGES)
    assert len({mutant.source for mutant in found}) == len(CHANGES)
    for mutant in found:
        compile(mutant.source, "mutant", "exec")
