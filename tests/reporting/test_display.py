"""The display of a run in progress."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from funasr_cli.reporting.display import Display, LiveLine, RichDisplay
from funasr_cli.reporting.reporter import Reporter
from funasr_cli.reporting.stats import RunStats

NOW = 1_000_000.0
BAR = "━━" + " " * 11


@pytest.fixture(autouse=True)
def five_minutes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("funasr_cli.reporting.display.time.monotonic", lambda: NOW)


def night(**more: float) -> RunStats:
    """Nine recordings; two and part of the third are done, 8 of 48 minutes."""
    values: dict[str, float] = {
        "total_files": 9, "done": 1, "failed": 1, "audio": 412.0, "open_audio": 100.0, "work": 400.0,
        "open_work": 112.0, "total_work": 2890.0, "busy": 3.0,
    }  # fmt: skip
    stats = RunStats(**{**values, **more})  # type: ignore[arg-type]
    stats.started = stats.opened = NOW - 300.0
    return stats


def line(stats: RunStats, width: int, encoding: str = "utf-8", current: str = "2026/05/council.flac") -> str:
    """Return the live line on a terminal of this width, five minutes into the run."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace", newline="")
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    shown = LiveLine()
    shown.show(stats, current)
    console.print(shown, end="")
    stream.seek(0)
    text = stream.read().removeprefix("\x1b[J").removesuffix("\r")
    assert text.isprintable()
    return text.rstrip().replace(BAR, "BAR ")


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (40, " 18 % 2/9 files, 1 failed, 0:23:13 left"),
        (60, "BAR  18 % 2/9 files, 1 failed, 0:23:13 left counci…"),
        (80, "BAR  18 % 2/9 files, 1 failed, 0:23:13 left 2026/05/council.flac"),
        (95, "BAR  18 % 2/9 files, 0:08:32 of 0:48:10 audio, 1 failed, 0:23:13 left council.flac"),
        (
            120,
            "BAR  18 % 2/9 files, 0:08:32 of 0:48:10 audio, 1.7x, device 1%, 1 failed, 0:23:13 left "
            "2026/05/council.flac",
        ),
    ],
)
def test_a_narrow_terminal_keeps_what_matters(width: int, shown: str) -> None:
    assert line(night(), width) == shown


@pytest.mark.parametrize("width", range(30, 160, 7))
def test_the_live_line_is_one_line_on_every_terminal(width: int) -> None:
    stats = night(total_files=20_000, done=12_345, failed=123, failed_before=120)
    assert len(line(stats, width, current="会议/" * 40 + "x.flac")) <= width


def test_a_terminal_without_an_ellipsis_gets_none() -> None:
    assert line(night(), 60, encoding="ascii").endswith("0:23:13 left council")


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        (night(), "2 of 9 files, 0:08:32 of 0:48:10 audio, 1.7x, device 1%, 1 failed"),
        (night(open_audio=0, work=2890, open_work=0), "2 of 9 files, 0:06:52 of audio, 1.4x, device 1%, 1 failed"),
        (night(failed=3, failed_before=2, audio=0, open_audio=0, busy=0), "4 of 9 files, 3 failed (2 again)"),
        (
            night(failed=0, skipped=4, left=2, audio=0, open_audio=0),
            "1 of 9 files, 4 already done, 2 left for next time",
        ),
    ],
)
def test_the_totals_say_what_there_is_to_say_and_no_more(stats: RunStats, said: str) -> None:
    assert str(stats) == said


def test_the_live_display_ends_with_the_totals() -> None:
    shown = io.StringIO()
    display, stats = RichDisplay(shown), night()
    display.start(stats)
    display.update(stats, "a[b].wav")
    display.close(stats)
    assert shown.getvalue().endswith("2 of 9 files, 0:08:32 of 0:48:10 audio, 1.7x, device 1%, 1 failed in 0:05:00\n")


def test_time_in_which_the_process_was_stopped_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(Display(io.StringIO()), night())
    before = str(reporter.stats), reporter.stats.time_left
    reporter.suspend()
    monkeypatch.setattr("funasr_cli.reporting.display.time.monotonic", lambda: NOW + 3600.0)
    reporter.resume()
    assert (str(reporter.stats), reporter.stats.time_left) == before
    monkeypatch.setattr("funasr_cli.reporting.display.time.monotonic", lambda: NOW + 3900.0)
    assert reporter.stats.time_left == pytest.approx(2 * (before[1] or 0.0))


def test_as_long_as_nothing_was_recognised_no_time_is_left() -> None:
    stats = night(done=0, failed=0, audio=0, open_audio=0, work=0, open_work=0)
    assert stats.time_left is None
    assert line(stats, 120).lstrip().startswith("0 % 0/9 files 2026")
    assert "left" not in line(stats, 120)
