"""Decides what to do with each recording, and why."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from funasr_cli.callbacks import Tell
from funasr_cli.files import printable
from funasr_cli.inputs.scan import Source
from funasr_cli.store.database import Database
from funasr_cli.store.entries import FileStat, KnownInput, recipe_of
from funasr_cli.store.matching import Matching
from funasr_cli.store.naming import OutputNames
from funasr_cli.store.overwritten import find_overwritten

FINISHED = ("done", "empty")


class Action(Enum):
    """Do a recording, write its outputs from the kept result, skip it (done), or leave it for the next run."""

    DO = "do"
    RENDER = "render"
    SKIP = "skip"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A recording, its input on record, what to do with it, and why."""

    source: Source
    known: KnownInput
    action: Action
    why: str


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What decisions depend on: the model and settings (`settings.fingerprint`), the formats, and options.

    `recognized_with` is the part of `fingerprint` on which recognition depends; None: kept results are not used.
    `force` redoes everything, `verify_content` rehashes files whose stat is unchanged, and files that changed less than
    `min_age` seconds ago are left for the next run.
    """

    fingerprint: str
    formats: Sequence[str]
    recognized_with: str | None = None
    force: bool = False
    verify_content: bool = False
    min_age: float = 0.0


HasKept: TypeAlias = Callable[[KnownInput, str], bool]
"""Says whether the recognition result of an input is kept, made with the given settings of recognition."""

OnNewLooks: TypeAlias = Callable[[KnownInput, FileStat], object]
"""Called with an input whose stat changed but whose content did not, and with the new stat."""


def remember(
    sources: Sequence[Source], state: Database, names: OutputNames, folder: Path, tell: Tell
) -> list[tuple[Source, KnownInput]]:
    """Pair each source with its input on record, and give names to new ones.

    An existing name changes only if the file system confuses it with another: either a text in `folder` was lost to
    it, which `tell` reports, or none has been written yet.
    """
    found = Matching(sources, state)
    moved = {known.id: replace(known, raw_path=os.fsencode(path)) for known, path in found.moves}
    for known in found.known.values():
        names.take(moved.get(known.id, known))
    if not (found.moves or names.rivals or None in found.inputs):
        return [(source, known) for source, known in zip(sources, found.inputs, strict=True) if known is not None]
    with state.transaction():
        for known, path in found.moves:
            state.moved(known, path)
        renamed = _rename_rivals(names, {known.id for known in found.inputs if known}, state, folder, tell)
        new = [source for source, known in zip(sources, found.inputs, strict=True) if known is None]
        added = iter(state.add((each.identity, each.relative, names.add(each.relative, each.identity)) for each in new))
    return [
        (source, next(added) if known is None else renamed.get(known.id) or moved.get(known.id) or known)
        for source, known in zip(sources, found.inputs, strict=True)
    ]


def _rename_rivals(
    names: OutputNames, ours: Set[int], state: Database, folder: Path, tell: Tell
) -> Mapping[int, KnownInput]:
    """Rename those of `ours` that lost a text to another recording, or would lose their first; returned by id."""
    rivals = [known for known in names.rivals if known.id in ours and not names.is_told_apart(known)]
    lost = {each.known.id: each for each in find_overwritten(rivals, state, folder)}
    renamed = {}
    for known in rivals:
        if known.id in lost or not (state.left_by(known) or names.is_clear(known)):
            name = names.add(state.relative(known), known.path, distinct=True)
            state.rename(known, name)
            renamed[known.id] = replace(known, raw_name=os.fsencode(name))
            if known.id in lost:
                again = f"it is transcribed again, and its outputs are now named {printable(name)}.*"
                tell(f"warning: {printable(known.path)}: {lost[known.id]}; {again}")
    return renamed


def decide(
    source: Source,
    known: KnownInput,
    rules: PlanRules,
    made: Mapping[str, Set[str]],
    on_new_looks: OnNewLooks,
    has_kept: HasKept,
) -> PlannedJob:
    """Decide about one source; `made` has the recipes of its existing outputs by format."""
    try:
        action, why = _decide(source, known, rules, made, on_new_looks, has_kept)
    except OSError:
        action, why = Action.DO, "it cannot be read"  # it will fail with the reason when its turn comes
    return PlannedJob(source, known, action, why)


def _decide(
    source: Source,
    known: KnownInput,
    rules: PlanRules,
    made: Mapping[str, Set[str]],
    on_new_looks: OnNewLooks,
    has_kept: HasKept,
) -> tuple[Action, str]:
    stat = FileStat.of(source.path)
    age = time.time() - stat.mtime_ns / 1e9
    # A time stamp in the future comes from a wrong clock and says nothing about age.
    if 0 <= age < rules.min_age and not source.is_stdin:
        return Action.LEAVE, f"changed {age:.0f} s ago, less than --min-age"
    if rules.force:
        return Action.DO, "forced"
    if known.status not in FINISHED:
        return Action.DO, "new" if known.status is None else f"{known.status} before"
    if stat != known.stat or rules.verify_content:
        if not known.is_in(source.path, stat):
            return Action.DO, "its content changed"
        on_new_looks(known, stat)
    why = _outdated(known, rules, made)
    if why is None:
        return Action.SKIP, "done"
    is_kept = rules.recognized_with is not None and has_kept(known, rules.recognized_with)
    return Action.RENDER if is_kept else Action.DO, why


def _outdated(known: KnownInput, rules: PlanRules, made: Mapping[str, Set[str]]) -> str | None:
    """Why the outputs of an unchanged recording are not those that the rules ask for; None if they are."""
    if known.settings != rules.fingerprint:
        return f"changed: {', '.join(_differences(known.settings or '{}', rules.fingerprint))}"
    recipe = recipe_of(known.sha256, rules.fingerprint)
    missing = [kind for kind in rules.formats if recipe not in made.get(kind, ())]
    return f"no {', '.join(missing)} of it yet" if missing else None


def _differences(before: str, after: str) -> list[str]:
    old, new = json.loads(before), json.loads(after)
    return [key for key in new if old.get(key) != new[key]]
