"""What options take, beyond the types that click has."""

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
    """A number within bounds. Not a number and infinity, which compare with bounds as they please, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number: float = click.FLOAT.convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return float(super().convert(number, param, ctx))


class Pattern(click.types.StringParamType):
    """Text that fits a pattern; `known` says in words what does."""

    def __init__(self, pattern: str, known: str) -> None:
        self._pattern = re.compile(pattern)
        self._known = known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value as it is."""
        if not self._pattern.fullmatch(value):
            self.fail(f"{value!r} is none of {self._known}", param, ctx)
        return value


class Language(click.types.StringParamType):
    """The code of a language, however it is written. Which ones a model has is known once that is found."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The code, as far as there is one."""
        return language_code(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The codes, each with the name of its language."""
        known = {"auto": "detect it", **LANGUAGE_NAMES}
        return [CompletionItem(code, help=name) for code, name in known.items() if code.startswith(incomplete)]


class RawFormatText(click.types.StringParamType):
    """How sound without a header is stored, as text."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value as it is."""
        try:
            RawFormat.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Glob(click.types.StringParamType):
    """A pattern. In a variable several stand as paths do in PATH."""

    envvar_list_splitter = os.pathsep
