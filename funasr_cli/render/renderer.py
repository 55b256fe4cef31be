"""Writes the outputs of recordings again from their kept transcripts."""

from __future__ import annotations

import time
from functools import cache

from funasr_cli.outputs.packing import unpack
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import FileStat, InputContent
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import PlannedJob
from funasr_cli.store.sinks import FileSink
from funasr_cli.text.compose import compose
from funasr_cli.text.editor import Editor


class Renderer:
    """Renders the recordings of one output folder with one set of settings."""

    def __init__(self, store: OutputStore, settings: Settings, run_info: RunInfo) -> None:
        self._store = store
        self._settings = settings
        self._run_info = run_info
        self._editor = cache(self._make_editor)

    def render(self, job: PlannedJob) -> list[str]:
        """Write the outputs of a recording; return warnings.

        Raises `UnknownForm` if the kept transcript cannot be read, and `OutputError` or `Postponed` if the outputs
        cannot be written now. In both cases the record is unchanged.
        """
        began = time.perf_counter()
        recognition = unpack(self._store.recognition(job))
        editor = self._editor(recognition.writes_numbers)
        transcript = compose(recognition, str(job.source.relative), editor)
        content = InputContent(FileStat.of(job.source.path), job.known.sha256)
        sink = FileSink(self._store, job, self._settings, self._run_info)
        sink.start()
        return sink.deliver(transcript, content, {"render": time.perf_counter() - began})

    def _make_editor(self, writes_numbers: bool) -> Editor:
        return Editor(self._settings.text(writes_numbers=writes_numbers), self._settings.hotwords)
