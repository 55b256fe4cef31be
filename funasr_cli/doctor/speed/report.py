"""The measurements and conclusions, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from funasr_cli.doctor.machine import processor
from funasr_cli.doctor.npu import is_npu_here
from funasr_cli.doctor.speed.measure import Measured, Speed
from funasr_cli.doctor.speed.verdict import Verdict, judge
from funasr_cli.files import megabytes, printable
from funasr_cli.json_paths import json_for_stdout, path_fields

HEADS = ("device", "windows at a time", "threads each", "× real time", "CPU s per hour", "cores busy", "memory")


def speed_as_text(speed: Speed) -> str:
    """Format as aligned lines: the conditions, the layouts, and the conclusions."""
    verdict = judge(speed)
    ordered = sorted(speed.candidates, key=lambda it: (it.precision, it.runs))
    layouts = _table([HEADS, *(_row(it) for it in ordered)])
    marked = [f"{line}  {_mark(speed, verdict, it)}".rstrip() for it, line in zip(ordered, layouts[1:], strict=True)]
    cost = 3600 * speed.front_end
    lines = [
        "measured with",
        *_pairs(
            ("processor", processor()),
            ("cores", str(speed.cores)),
            ("model", f"{speed.model.family} in {printable(speed.model.path)}"),
            ("sound", _sound(speed)),
            ("device", "the CPU; NPUs are not measured" if is_npu_here() else "the CPU"),
        ),
        "",
        "the model alone, on all cores",
        layouts[0],
        *marked,
        "",
        "a whole run",
        *_pairs(
            (
                "speed",
                f"{verdict.times_real_time:.1f} × real time: {verdict.hours_per_day:.0f} hours of speech per day",
            ),
            ("limit", f"{_limit(verdict)}"),
            ("front end", f"{cost:.1f} CPU s per hour: {1 / speed.front_end:.0f} × real time on one core"),
            ("configuration", _config(verdict)),
            *(("advice" if number == 0 else "", text) for number, text in enumerate(verdict.advice)),
        ),
    ]
    return "\n".join(lines)


def speed_as_json(speed: Speed) -> str:
    """Format as one JSON object; docs/processes.md describes its fields."""
    verdict = judge(speed)
    return json_for_stdout(
        {
            **path_fields("model", speed.model.name),
            **({"recording": None} if speed.recording is None else path_fields("recording", speed.recording)),
            "processor": processor(),
            "cores": speed.cores,
            "candidates": [_fields(it) | {"default": it is speed.candidates[0]} for it in speed.candidates],
            "front_end": {
                "times_real_time": round(1 / speed.front_end, 1),
                "cpu_seconds_per_hour": round(3600 * speed.front_end, 2),
            },
            "best": _fields(verdict.best),
            "times_real_time": round(verdict.times_real_time, 2),
            "hours_per_day": round(verdict.hours_per_day, 1),
            "limit": verdict.limit.replace(" ", "_"),
            "model_share": round(verdict.model_share, 3),
            "config": verdict.config,
            "advice": list(verdict.advice),
        }
    )


def _fields(it: Measured) -> dict[str, Any]:
    """The fields of a candidate; values that were not measured are null."""
    done = not it.error
    return {
        "device": it.device or None,
        "precision": it.precision,
        "runs": it.runs,
        "threads": it.threads,
        "processes": it.processes,
        "times_real_time": round(it.times_real_time, 2) if done else None,
        "cpu_seconds_per_hour": round(it.cpu_seconds_per_hour, 1) if done else None,
        "busy_cores": round(it.busy_cores, 2) if done else None,
        "peak_memory_bytes": it.peak_memory or None,
        "error": it.error or None,
    }


def _mark(speed: Speed, verdict: Verdict, it: Measured) -> str:
    marks = [*(["best"] if it is verdict.best else []), *(["default"] if it is speed.candidates[0] else [])]
    return f"<- {', '.join(marks)}" if marks else ""


def _row(it: Measured) -> Sequence[str]:
    layout = (it.device or it.precision, str(it.runs), str(it.threads))
    if it.error:
        return (*layout, f"not measured: {printable(it.error)}")
    figures = f"{it.times_real_time:.1f}", f"{it.cpu_seconds_per_hour:.0f}", f"{it.busy_cores:.1f}"
    return (*layout, *figures, megabytes(it.peak_memory) if it.peak_memory else "?")


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align the first column to the left, and numbers to the right below their heads."""
    widths = [max(len(row[0]) for row in rows), *map(len, HEADS[1:])]
    lines = []
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=False)),
        ]
        lines.append("  " + "  ".join(cells))
    return lines


def _pairs(*pairs: tuple[str, str]) -> list[str]:
    return [f"  {name:13}  {text}".rstrip() for name, text in pairs]


def _sound(speed: Speed) -> str:
    length = f"windows of up to {speed.window:.0f} s"
    return f"synthetic, {length}" if speed.recording is None else f"{printable(speed.recording)}, {length}"


def _limit(verdict: Verdict) -> str:
    if verdict.limit == "front end":
        return "the front end: reading, voice detection, features and decoding"
    share = f"the model: {100 * verdict.model_share:.0f} % of the time"
    few = "memory, which is too small for a process on each NUMA node"
    return f"{few}; then {share}" if verdict.limit == "memory" else share


def _config(verdict: Verdict) -> str:
    if not verdict.config:
        return "nothing to set: the defaults are best"
    settings = "; ".join(f"{key}: {value}" for key, value in verdict.config.items())
    options = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in verdict.config.items())
    return f"{settings}   (or {options})"
