"""Which files count as recordings, apart from what looks for them."""

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
"""Files in folders with these names are taken; the best sound first, which is the order in which names are given.

It is what the two libraries read, without the sounds of games, and extensions that mostly mean something else: .bin,
.dat, .mat, .mod, .sub."""

HEADERLESS_EXTENSIONS = tuple(raw_format.EXTENSIONS)
"""Files that are taken too if it is said what is in them."""


@dataclass(frozen=True, slots=True)
class FileSelection:
    """Which files count: their extensions in folders, and glob patterns on their place in the tree (`fits`)."""

    extensions: Sequence[str] = EXTENSIONS
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def suffixes(self) -> frozenset[str]:
        """The extensions with their dots."""
        return frozenset(f".{extension}" for extension in self.extensions)


ALL_FILES = FileSelection()
