"""The settings that can be changed without recognising a recording again."""

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

    If `formats` is None, the formats stay the same, or are the default if none was written. `cues` maps the recording's
    limits of subtitles to new ones.
    """

    formats: tuple[str, ...] | None = None
    layout: Mapping[str, Any] = field(default_factory=dict)
    editing: Mapping[str, Any] = field(default_factory=dict)
    cues: Callable[[SegmentLimits], SegmentLimits] | None = None

    def applied(
        self, record: str, written: tuple[str, ...], hotwords: tuple[Hotword, ...] = ()
    ) -> tuple[Settings, str]:
        """The settings for one recording, and their fingerprint.

        `record` is the fingerprint of its last result, `written` are the formats of its outputs. Raises `ValueError` if
        this version cannot read the record.
        """
        before = json.loads(record)
        try:
            editing = {key: before[key] for key in ("itn", "correction", "script")} | dict(self.editing)
            layout = replace(OutputLayout(**before["layout"]), **self.layout)
            limits = SegmentLimits(**before["segments"])
            limits = self.cues(limits) if self.cues else limits
            settings = Settings(
                formats=self.formats or written or Settings().formats,
                layout=layout,
                hotwords=hotwords,
                segments=limits,
                **editing,
            )
        except (KeyError, TypeError) as error:
            raise ValueError("its settings were recorded by another version") from error
        after = {**before, **editing, "layout": as_record(layout), "segments": as_record(limits)}
        return settings, json.dumps(after, sort_keys=True)
