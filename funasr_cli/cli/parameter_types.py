"""Parameter types for options, beyond click's own."""

from __future__ import annotations

import math
import os
import re
from typing import Any

import click
from click.shell_completion import CompletionItem

from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.languages import LANGUAGE_NAMES, language_code


class NumberRange(click.FloatRange):
    """A finite number within bounds. click would let NaN and infinity pass some bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number: float = click.FLOAT.convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return float(super().convert(number, param, ctx))


class Pattern(click.types.StringParamType):
    """Text that matches a regular expression; `known` describes in words what does."""

    def __init__(self, pattern: str, known: str) -> None:
        self._pattern = re.compile(pattern)
        self._known = known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value unchanged if it is valid."""
        if not self._pattern.fullmatch(value):
            self.fail(f"{value!r} is not one of {self._known}", param, ctx)
        return value


class Language(click.types.StringParamType):
    """A language code in any spelling. Whether the model knows the language is checked once the model is found."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the normalised code."""
        return language_code(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer language codes, each with the name of the language."""
        known = {"auto": "detect it", **LANGUAGE_NAMES}
        return [CompletionItem(code, help=name) for code, name in known.items() if code.startswith(incomplete)]


class RawFormatText(click.types.StringParamType):
    """The format of audio without a header, as text such as `s16le:16000:1`."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value unchanged if it is valid."""
        try:
            RawFormat.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Glob(click.types.StringParamType):
    """A glob pattern. In an environment variable, several are separated as in PATH."""

    envvar_list_splitter = os.pathsep
