"""JSON: everything known about a transcript, for programs."""

from __future__ import annotations

from typing import Any

from funasr_cli.json_paths import json_text, path_fields
from funasr_cli.transcript import Correction, Scene, Segment, Token, Transcript

VERSION = 1
"""Version of this layout; increases when a field changes its meaning or is removed."""


def to_json(transcript: Transcript) -> str:
    """One JSON object; times in seconds, rounded to milliseconds; confidences as probabilities.

    `channel` is present only if each channel was transcribed separately, and `language` of a segment only if known.
    """
    document: dict[str, Any] = {
        "version": VERSION,
        **path_fields("source", transcript.source),
        "duration": _seconds(transcript.duration),
        "speech_seconds": _seconds(transcript.speech_seconds),
        "language": transcript.language,
        **path_fields("model", transcript.model),
        "model_sha256": transcript.model_sha256,
        "device": transcript.device,
        "warnings": list(transcript.warnings),
        "text": transcript.text,
        "segments": [_segment(segment) for segment in transcript.segments],
        "scenes": [_scene(scene) for scene in transcript.scenes],
        "corrections": [_correction(correction) for correction in transcript.corrections],
    }
    return json_text(document, indent=1) + "\n"


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": _seconds(segment.start),
        "end": _seconds(segment.end),
        "text": segment.text,
        "tokens": [_token(token) for token in segment.tokens],
        **({} if segment.language is None else {"language": segment.language}),
        **_channel(segment.channel),
    }


def _token(token: Token) -> dict[str, Any]:
    return {
        "text": token.text,
        "start": _seconds(token.start),
        "end": _seconds(token.end),
        "confidence": round(token.confidence, 4),
    }


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "start": _seconds(scene.start),
        "end": _seconds(scene.end),
        "emotion": scene.emotion,
        "events": list(scene.events),
        **_channel(scene.channel),
    }


def _correction(correction: Correction) -> dict[str, Any]:
    return {
        "from": correction.before,
        "to": correction.after,
        "score": round(correction.score, 4),
        "start": _seconds(correction.start),
        "end": _seconds(correction.end),
        **_channel(correction.channel),
    }


def _channel(channel: int | None) -> dict[str, int]:
    return {} if channel is None else {"channel": channel}


def _seconds(value: float) -> float:
    return round(value, 3)
