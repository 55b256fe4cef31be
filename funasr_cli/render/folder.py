"""`funasr-cli render`: write the outputs of a folder again from the recognition results kept there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import click

from funasr_cli.errors import OutputError, Postponed, UsageError
from funasr_cli.files import printable
from funasr_cli.inputs.globs import PathFilter
from funasr_cli.inputs.scan import STDIN, Source, SourceFolder, StdinSource
from funasr_cli.outputs.packing import UnknownForm
from funasr_cli.render.changes import Changes
from funasr_cli.render.renderer import Renderer
from funasr_cli.reporting.display import Display
from funasr_cli.settings.fingerprint import recognition_part
from funasr_cli.store.entries import FileStat, FinishedInput
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import has_record, open_store, peek_store
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import Action, PlannedJob
from funasr_cli.system.signals import StopSignals
from funasr_cli.transcript import Recognition

WHY = "rendered from what was kept"

NOTHING_KEPT = "its recognised text was not kept: it was transcribed with --no-keep or by an older version"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Which outputs of `folder` to write again, and how; `include` and `exclude` are those of `PathFilter`."""

    folder: Path
    changes: Changes = field(default_factory=Changes)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    wait: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Rendering:
    """A recording that can be rendered, its current stat (None if it is gone), and the formats to write."""

    job: PlannedJob
    stat: FileStat | None
    formats: tuple[str, ...]


def render_folder(options: RenderOptions, display: Display) -> int:
    """Render the recordings; returns how many could not be rendered, each with a message.

    Raises `UsageError` if the folder has no record, or if no finished recording matches `include` and `exclude`.
    """
    folder = options.folder
    if not has_record(folder):
        hint = "Name the folder of the transcripts: funasr-cli render DIR"
        raise UsageError("no run has written to this folder", where=folder, hint=hint)
    if options.dry_run:
        with peek_store(folder, beside=False) as store:
            return _list(options, store, display)
    with open_store(folder, beside=False, wait=options.wait, tell=display.warn) as store:
        return _render(options, store, display)


def _list(options: RenderOptions, store: OutputStore, display: Display) -> int:
    failed = 0
    for each in _asked_for(options, store):
        try:
            what = _rendering(each, options, store)
            formats = options.changes.formats or what.formats
            click.echo(f"render {printable(each.known.path)}: {', '.join(formats)}")
        except UsageError as error:
            display.warn(f"failed: {error}")
            failed += 1
    return failed


def _render(options: RenderOptions, store: OutputStore, display: Display) -> int:
    renderer, rendered, failed = Renderer(store), 0, 0
    with StopSignals(display.suspend, display.resume) as signals:
        for each in _asked_for(options, store):
            signals.check()
            try:
                what = _rendering(each, options, store)
                store.write_beside(each.beside)
                for text in _render_one(what, options.changes, renderer, store):
                    display.warn(f"warning: {printable(each.known.path)}: {text}")
                rendered += 1
            except (UsageError, OutputError, Postponed) as error:
                display.warn(f"failed: {error}")
                failed += 1
    display.note(f"rendered: {rendered}" + (f", failed: {failed}" if failed else ""))
    return failed


def _asked_for(options: RenderOptions, store: OutputStore) -> list[FinishedInput]:
    sieve = PathFilter(options.include, options.exclude)
    found = [each for each in store.finished() if sieve.takes(each.relative)]
    if not found:
        raise UsageError("no finished recording matches --include and --exclude", where=options.folder)
    return found


def _rendering(each: FinishedInput, options: RenderOptions, store: OutputStore) -> Rendering:
    """What to do for a recording. Raises `UsageError` if it cannot be rendered."""
    known, record = each.known, each.known.settings or "{}"
    parts = {itself: recognition_part(record, writes_numbers=itself) for itself in (True, False)}
    kept = [itself for itself, part in parts.items() if store.has_kept(known, part)]
    if not kept:
        hint = "To recognise it again: funasr-cli transcribe --force, with the options it was transcribed with."
        raise UsageError(NOTHING_KEPT, where=known.path, hint=hint)
    if each.beside and not known.path.parent.is_dir():
        raise UsageError("its folder is gone, and its outputs belong next to it", where=known.path)
    _check_numbers(known.path, writes_itself=kept[0], record=record, changes=options.changes)
    return Rendering(_job(each), _stat_now(each), each.formats)


def _check_numbers(path: Path, *, writes_itself: bool, record: str, changes: Changes) -> None:
    """Raise `UsageError` if `changes` would alter `itn` although the model itself writes numbers."""
    if writes_itself and changes.editing.get("itn", before := json.loads(record)["itn"]) != before:
        raise UsageError(
            "its model writes numbers and punctuation itself, so they cannot be changed afterwards",
            where=path,
            hint="Run funasr-cli transcribe with --itn or --no-itn.",
        )


def _stat_now(each: FinishedInput) -> FileStat | None:
    """The stat of the recording, None if it is gone. Raises `UsageError` if its content has changed."""
    path = each.known.path
    try:
        stat = each.known.unchanged_stat(path)
    except OSError:
        return None
    if stat is None:
        raise UsageError("has changed since it was transcribed", where=path, hint="Run funasr-cli transcribe first.")
    return stat


def _job(each: FinishedInput) -> PlannedJob:
    path = each.known.path
    kind = StdinSource if path.parent == STDIN else Source
    source = kind(SourceFolder(path.parent, each.relative.parent, path.parent), path.name)
    return PlannedJob(source, each.known, Action.RENDER, WHY)


def _render_one(what: Rendering, changes: Changes, renderer: Renderer, store: OutputStore) -> list[str]:
    """Write the outputs; returns warnings. Raises `UsageError` if its kept text cannot be read."""
    known, record = what.job.known, what.job.known.settings or "{}"
    try:
        listed = json.loads(record)["hotwords"]
        hotwords = store.kept.hotwords(listed)
        if listed and not hotwords:
            raise ValueError("its hotword list is missing")
        settings, fingerprint = changes.applied(record, what.formats, hotwords)

        def run_info(heard: Recognition) -> RunInfo:
            return RunInfo(heard.model, heard.model_sha256, heard.device, WHY, fingerprint)

        return renderer.render(what.job, settings, run_info, what.stat)
    except (UnknownForm, ValueError) as error:
        raise UsageError(f"its kept text cannot be read: {error}", where=known.path) from error
