"""Renders recordings that need no recognition: their outputs are written from the kept transcripts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from funasr_cli.errors import OutputError, Postponed
from funasr_cli.files import printable
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import FileStat
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import PlannedJob
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.signals import StopSignals

logger = logging.getLogger(__name__)


def render_kept(
    jobs: Sequence[PlannedJob],
    store: OutputStore,
    settings: Settings,
    run_info: RunInfo,
    reporter: Reporter,
    deadline: Deadline,
) -> list[PlannedJob]:
    """Render the recordings until the deadline; return those whose kept transcript cannot be read.

    A recording whose outputs cannot be written does not affect the others, and is rendered by the next run.
    """
    from funasr_cli.outputs.packing import UnknownForm  # NumPy and the dictionaries take time to load
    from funasr_cli.render.renderer import Renderer

    renderer, unreadable = Renderer(store), list[PlannedJob]()
    stats, display = reporter.stats, reporter.display
    with StopSignals(reporter.suspend, reporter.resume) as signals:
        for number, job in enumerate(jobs):
            signals.check()
            if deadline.passed:
                stats.left += len(jobs) - number
                display.note(f"the deadline, {deadline.text}, has passed: outputs not written: {len(jobs) - number}")
                break
            try:
                warnings = renderer.render(job, settings, lambda _: run_info, _stat_now(job))
            except UnknownForm as error:
                logger.debug("%s: kept transcript: %s", job.source.named, error)
                unreadable.append(job)
            except Postponed as error:
                display.warn(str(error))
                store.skip(job, error.what, run_info)
                stats.left += 1
            except OutputError as error:
                display.warn(f"failed: {error}")
                store.skip(job, str(error), run_info)
                stats.failed += 1
            else:
                stats.rendered += 1
                for text in warnings:
                    display.warn(f"warning: {printable(job.source.named)}: {text}")
    display.note(f"written from kept transcripts, without recognising again: {stats.rendered}")
    return unreadable


def _stat_now(job: PlannedJob) -> FileStat:
    """The stat of the recording. Raises `Postponed` if it is gone, or its content is not what was recognised."""
    with suppress(OSError):
        if stat := job.known.unchanged_stat(job.source.path):
            return stat
    raise Postponed("changed while this run was working; left for the next run", where=job.source.named)
