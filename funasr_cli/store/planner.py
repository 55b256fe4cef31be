"""What is to be done with each recording, and why."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from funasr_cli.files import sha256_of
from funasr_cli.inputs.scan import Source
from funasr_cli.store.database import Database
from funasr_cli.store.entries import FileStat, KnownInput, recipe_of
from funasr_cli.store.naming import assign_names

FINISHED = ("done", "empty")


class Action(Enum):
    """Do it, skip it because it is done, or leave it for next time."""

    DO = "do"
    SKIP = "skip"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A recording, what is remembered of it, and what to do with it."""

    source: Source
    known: KnownInput
    action: Action
    why: str


@dataclass(frozen=True, slots=True)
class PlanRules:
    """How to decide: what a result is made with, the formats wanted, and what the command line says of it.

    `fingerprint` is that of `settings.fingerprint`.
    """

    fingerprint: str
    formats: Sequence[str]
    force: bool = False
    verify_content: bool = False
    min_age: float = 0.0


def remember(sources: Sequence[Source], state: Database) -> list[tuple[Source, KnownInput]]:
    """Each source with what is remembered of it. New ones are given their names, for ever."""
    known = state.inputs()
    keys = [os.fsencode(source.identity) for source in sources]
    strange = [source for source, key in zip(sources, keys, strict=True) if key not in known]
    if strange:
        new = []
        for source in strange:
            before = next((old for old in state.gone_from(source.relative) if _is_now_at(old, source.path)), None)
            if before is not None and not source.is_stdin:
                state.moved(before, source.identity)
            else:
                new.append(source)
        names = assign_names(new, (entry.name for entry in known.values()))
        state.add((source.identity, source.relative, names[source]) for source in new)
        known = state.inputs()
    return [(source, known[key]) for source, key in zip(sources, keys, strict=True)]


def decide(
    source: Source, known: KnownInput, rules: PlanRules, made: Mapping[str, Set[str]], state: Database
) -> PlannedJob:
    """What to do with one source; `made` tells by format from what the outputs that are there were made."""
    try:
        action, why = _decide(source, known, rules, made, state)
    except OSError:
        action, why = Action.DO, "it cannot be read"  # and will fail with the reason when its turn comes
    return PlannedJob(source, known, action, why)


def _decide(
    source: Source, known: KnownInput, rules: PlanRules, made: Mapping[str, Set[str]], state: Database
) -> tuple[Action, str]:
    stat = FileStat.of(source.path)
    age = time.time() - stat.mtime_ns / 1e9
    # A time stamp in the future comes from a wrong clock, and tells nothing.
    if 0 <= age < rules.min_age and not source.is_stdin:
        return Action.LEAVE, f"changed {age:.0f} s ago, less than --min-age"
    if rules.force:
        return Action.DO, "forced"
    if known.status not in FINISHED:
        return Action.DO, "new" if known.status is None else f"{known.status} before"
    if stat != known.stat or rules.verify_content:
        if not _has_content(source.path, stat, known):
            return Action.DO, "its content changed"
        state.unchanged(known, stat)
    if known.settings != rules.fingerprint:
        return Action.DO, f"changed: {', '.join(_differences(known.settings or '{}', rules.fingerprint))}"
    recipe = recipe_of(known.sha256, rules.fingerprint)
    missing = [kind for kind in rules.formats if recipe not in made.get(kind, ())]
    if missing:
        return Action.DO, f"no {', '.join(missing)} of it yet"
    return Action.SKIP, "done"


def _is_now_at(known: KnownInput, path: Path) -> bool:
    try:
        return _has_content(path, FileStat.of(path), known)
    except OSError:
        return False


def _has_content(path: Path, stat: FileStat, known: KnownInput) -> bool:
    """Whether the file holds what is remembered; it is only read if the size does not tell."""
    return known.stat is not None and stat.size == known.stat.size and sha256_of(path) == known.sha256


def _differences(before: str, after: str) -> list[str]:
    old, new = json.loads(before), json.loads(after)
    return [key for key in new if old.get(key) != new[key]]
