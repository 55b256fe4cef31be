"""Limits of subtitles from published guidelines, by the values of `--cue-preset`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from funasr_cli.text.options import SegmentLimits

FRAMES_PER_S = 24
"""Frames per second by which Netflix's timing guidelines count."""

_NETFLIX = SegmentLimits(seconds=7.0, min_seconds=5 / 6, gap=2 / FRAMES_PER_S, lines=2, strict=True)
"""Netflix Partner Help Center, Timed Text Style Guide: General Requirements (duration, lines), and Subtitle Timing
Guidelines (2 frames between subtitles)."""

_TED = SegmentLimits(seconds=7.0, min_seconds=1.0, lines=2, strict=True)
"""TED Translators Wiki, TED Translators Cheat-sheet, and the page Chinese (Simplified)."""

CUE_PRESETS: Mapping[str, SegmentLimits] = {
    # Simplified Chinese (PRC) Timed Text Style Guide: 16 characters a line, 9 a second for adults
    "netflix-zh": replace(_NETFLIX, columns=32, characters_per_s=9.0),
    # English (USA) Timed Text Style Guide: 42 characters a line, 20 a second for adults
    "netflix-en": replace(_NETFLIX, columns=42, characters_per_s=20.0),
    # Chinese (Simplified): 16 characters a line, 10 a second
    "ted-zh": replace(_TED, columns=32, characters_per_s=10.0),
    # Cheat-sheet: 42 characters a line, 21 a second
    "ted-en": replace(_TED, columns=42, characters_per_s=21.0),
}
