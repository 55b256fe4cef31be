"""Which files count as recordings, without the code that searches for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from funasr_cli.audio import raw_format

EXTENSIONS = (
    *("wav", "flac", "aiff", "aif", "aifc", "au", "caf", "w64", "rf64", "wv", "ape", "tta"),
    *("wave", "bwf", "snd", "nist", "sph", "voc", "ircam", "paf", "fap", "avr", "pvf", "svx", "8svx", "sds", "wve"),
    *("xi", "caff", "qta", "tak", "shn", "mlp", "thd", "truehd", "dtshd", "dsf", "dff", "wsd", "osq", "sln"),
    *("m4a", "mp3", "aac", "ogg", "oga", "opus", "spx", "wma", "amr", "awb", "ac3", "eac3", "dts", "mka", "mp2"),
    *("m4b", "m4r", "f4a", "f4b", "isma", "3ga", "mpga", "mpa", "mp1", "m2a", "weba", "ogx", "adts", "latm", "ec3"),
    *("mpc", "ra", "oma", "aa3", "aea", "vqf", "gsm", "g722", "722", "g729", "dss", "qcp", "act", "lc3", "sbc"),
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "wmv", "asf", "flv", "f4v", "mpg", "mpeg", "ts", "mts", "m2ts"),
    *("3gp", "3g2", "vob", "ogv", "rm", "rmvb", "3gpp", "3gp2", "ismv", "mj2", "mk3d", "qt", "mqv", "lrv", "insv"),
    *("mxf", "gxf", "m2t", "m2p", "mpe", "tod", "tp", "trp", "evo", "vro", "wtv", "dvr-ms", "divx", "amv", "ogm"),
    *("dv", "nut", "nuv", "nsv", "ivr", "kux", "dav"),
)
"""Extensions of the files that are taken from folders, best sound first: names are given out in this order.

They are what the two decoding libraries read, except the sound formats of games and extensions that mostly mean
something else: .bin, .dat, .mat, .mod, .sub."""

HEADERLESS_EXTENSIONS = tuple(raw_format.EXTENSIONS)
"""Extensions that are also taken if `--raw` says what the files contain."""


@dataclass(frozen=True, slots=True)
class FileSelection:
    """Which files count: extensions in folders, and glob patterns for places in the tree (`globs.matches`)."""

    extensions: Sequence[str] = EXTENSIONS
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def suffixes(self) -> frozenset[str]:
        """The extensions with their dots."""
        return frozenset(f".{extension}" for extension in self.extensions)


ALL_FILES = FileSelection()
