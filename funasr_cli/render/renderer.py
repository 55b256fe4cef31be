"""Writes the outputs of recordings again from their kept transcripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

from funasr_cli.outputs.packing import unpack
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import FileStat, InputContent, TranscriptSummary
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.output_files import encode_formats, hashes_of, write_outputs
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import PlannedJob
from funasr_cli.store.sinks import FileSink
from funasr_cli.text.compose import compose
from funasr_cli.text.editor import Editor
from funasr_cli.transcript import Recognition

MAX_EDITORS = 4
"""Maximum number of editors in memory. Each is for one set of settings and may hold a large list of hotwords."""


class Renderer:
    """Renders recordings of one output folder, one after another."""

    def __init__(self, store: OutputStore) -> None:
        self._store = store
        self._editor = lru_cache(MAX_EDITORS)(_make_editor)

    def render(
        self,
        job: PlannedJob,
        settings: Settings,
        run_info: Callable[[Recognition], RunInfo],
        stat: FileStat | None,
    ) -> list[str]:
        """Write the outputs of a recording; return warnings.

        `run_info` gives the facts for the manifest, and `stat` is the file's current one, None if the file is gone.
        Raises `UnknownForm` if the kept transcript cannot be read, and `OutputError` or `Postponed` if the outputs
        cannot be written now. The record is then unchanged.
        """
        began = time.perf_counter()
        heard = unpack(self._store.kept.packed(job.known))
        transcript = compose(heard, str(job.source.relative), self._editor(settings, heard.writes_numbers))
        contents = encode_formats(transcript, settings)
        sink = FileSink(self._store, job, settings, run_info(heard))
        sink.start()
        sha256 = job.known.sha256
        write_outputs(sink.place(InputContent(stat, sha256), hashes_of(contents)), contents)
        seconds = {"render": time.perf_counter() - began}
        return sink.finish(TranscriptSummary.of(transcript), InputContent(stat or job.known.stat, sha256), seconds)


def _make_editor(settings: Settings, writes_numbers: bool) -> Editor:
    return Editor(settings.text(writes_numbers=writes_numbers), settings.hotwords)
