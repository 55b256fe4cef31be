"""What may differ from the settings that a recording was transcribed with if it is only rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from funasr_cli.hotwords import Hotword
from funasr_cli.late_fields import as_record
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.settings.transcription import Settings
from funasr_cli.text.options import SegmentLimits


@dataclass(frozen=True, slots=True)
class Changes:
    """New values of settings, by the names of their fields; `layout` by those of `OutputLayout`.

    `formats` None: those that were written before. `cues` gives new limits of subtitles for those of the recording.
    """

    formats: tuple[str, ...] | None = None
    layout: Mapping[str, Any] = field(default_factory=dict)
    editing: Mapping[str, Any] = field(default_factory=dict)
    cues: Callable[[SegmentLimits], SegmentLimits] | None = None

    def applied(
        self, record: str, written: tuple[str, ...], hotwords: tuple[Hotword, ...] = ()
    ) -> tuple[Settings, str]:
        """The settings for one recording, and their fingerprint.

        `record` is the fingerprint it was done with, `written` its formats. Raises `ValueError` if this version cannot
        read the record.
        """
        before = json.loads(record)
        try:
            editing = {key: before[key] for key in ("itn", "correction", "script")} | dict(self.editing)
            layout = replace(OutputLayout(**before["layout"]), **self.layout)
            limits = SegmentLimits(**before["segments"])
            limits = self.cues(limits) if self.cues else limits
            settings = Settings(
                formats=self.formats or written,
                layout=layout,
                hotwords=hotwords,
                segments=limits,
                **editing,
            )
        except (KeyError, TypeError) as error:
            raise ValueError("its settings are those of another version") from error
        after = {**before, **editing, "layout": as_record(layout), "segments": as_record(limits)}
        return settings, json.dumps(after, sort_keys=True)
