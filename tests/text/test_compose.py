"""What was recognised in the channels of a recording becomes one transcript."""

from __future__ import annotations

from funasr_cli.text.compose import compose
from funasr_cli.text.editor import Editor
from funasr_cli.text.options import TextOptions
from funasr_cli.transcript import Recognition, RecognizedChannel, Scene, Token


def channel(number: int | None, *words: tuple[str, float]) -> RecognizedChannel:
    tokens = tuple(Token(text, start, start + 0.5, 0.9) for text, start in words)
    return RecognizedChannel(number, "zh", tokens, (Scene(words[0][1], 60.0, "happy", ()),))


def recognition(*channels: RecognizedChannel) -> Recognition:
    return Recognition(60.0, 4.0, "zh", "m", "d0" * 32, "cpu", False, channels, ("quiet",), {"hole": 1})


def test_lines_and_scenes_are_in_order_of_time_and_the_first_channel_goes_first() -> None:
    both = recognition(channel(1, ("今天。", 0), ("明天。", 10)), channel(2, ("昨天。", 0), ("后天。", 5)))
    made = compose(both, "a.wav", Editor(TextOptions()))
    assert [(line.start, line.channel) for line in made.segments] == [(0, 1), (0, 2), (5, 2), (10, 1)]
    assert [(scene.start, scene.channel) for scene in made.scenes] == [(0, 1), (0, 2)]
    assert made.text == "今天。\n昨天。\n后天。\n明天。"


def test_the_text_is_edited_and_the_rest_is_as_it_was_recognised() -> None:
    made = compose(recognition(channel(None, ("一百二十個", 0))), "b/a.wav", Editor(TextOptions(numbers=True)))
    assert (made.source, made.text, made.language, made.duration) == ("b/a.wav", "120个", "zh", 60.0)
    assert (made.warnings, made.extra_runs, made.speech_seconds) == (("quiet",), {"hole": 1}, 4.0)
    assert made.segments[0].channel is None
