"""Limits of subtitles from command-line options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from funasr_cli.errors import UsageError
from funasr_cli.text.cue_presets import CUE_PRESETS
from funasr_cli.text.options import SegmentLimits

CUE_OPTIONS = {
    "max_line_width": "columns",
    "max_lines": "lines",
    "max_cue_seconds": "seconds",
    "min_cue_seconds": "min_seconds",
    "max_cps": "characters_per_s",
    "cue_gap": "gap",
}
"""Options for subtitles, and the fields of `SegmentLimits` that they set."""


def cue_limits(given: Mapping[str, Any], before: SegmentLimits) -> SegmentLimits:
    """Apply the options that are `given` to the limits of the preset or, without a preset, to those `before`.

    If any option is given, the limits are strict. Raises `UsageError` if they contradict each other.
    """
    preset = given["cue_preset"]
    chosen = {field: given[option] for option, field in CUE_OPTIONS.items() if given[option] is not None}
    if preset is None and not chosen:
        return before
    try:
        return replace(CUE_PRESETS[preset] if preset else replace(before, strict=True), **chosen)
    except ValueError as error:
        raise UsageError(str(error), hint="Give both --min-cue-seconds and --max-cue-seconds.") from error
