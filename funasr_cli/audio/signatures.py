"""Identify a file by its first bytes: a known audio format, or something that cannot be transcribed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from funasr_cli.errors import InputError

HEAD_BYTES = 4096
"""Bytes at the beginning of a file that are enough to identify it."""

TEXT_BYTES = 512
"""Bytes that are checked for text; no sound is printable characters and spaces for that long."""

ASF_BYTES = 65_536
"""Bytes at the beginning of a WMA file that contain its header."""

SOUND = (
    (0, b"RIFF"), (0, b"RIFX"), (0, b"RF64"), (0, b"BW64"), (0, b"FORM"), (0, b"FRM8"), (0, b"riff\x2e\x91\xcf\x11"),
    (0, b"fLaC"), (0, b"OggS"), (0, b"ID3"), (0, b".snd"), (0, b"caff"), (0, b"NIST_1A"), (0, b"Creative Voice File"),
    (0, b"#!AMR"), (0, b"MAC "), (0, b"wvpk"), (0, b"TTA1"), (0, b"tBaK"), (0, b"MPCK"), (0, b"MP+"), (0, b"DSD "),
    (0, b"\x02dss"), (0, b"\x03dss"), (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"skip"),
    (4, b"free"), (0, b"\x1aE\xdf\xa3"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), (0, b"FLV"), (0, b".RMF"),
    (0, b"\0\0\1\xba"), (0, b"\x06\x0e\x2b\x34"), (0, b"DHAV"),
)  # fmt: skip
"""Signatures of recordings, with offsets. A file with one of them that cannot be read is damaged, not headerless."""


class _Refusal(NamedTuple):
    offset: int
    signature: bytes
    what: str
    hint: str


_SILK = "SILK audio, as used by WeChat and QQ voice messages, which is not supported"
_SILK_HINT = (
    "Decode it to 16-bit samples at 24 kHz with silk-v3-decoder or the Python package pilk, then use "
    "--raw s16le:24000:1."
)
ENCRYPTED_HINT = "Only the app that it came from can play it. Get an unprotected copy."
_UNPACK_HINT = "Unpack it and transcribe the files inside."

_REFUSALS = (
    _Refusal(0, b"#!SILK_V3", _SILK, _SILK_HINT),
    _Refusal(1, b"#!SILK_V3", _SILK, _SILK_HINT),
    _Refusal(0, b"CTENFDAM", "encrypted by NetEase Cloud Music (NCM)", ENCRYPTED_HINT),
    _Refusal(0, b"\x7c\xd5\x32\xeb\x86\x02\x7f\x4b", "encrypted by KuGou (KGM)", ENCRYPTED_HINT),
    _Refusal(0, b"\x05\x28\xbc\x96\xe9\xe4\x5a\x43", "encrypted by KuGou (VPR)", ENCRYPTED_HINT),
    _Refusal(0, b"yeelion-kuwo", "encrypted by Kuwo (KWM)", ENCRYPTED_HINT),
    _Refusal(4, b"ftypaax", "protected by Audible (AAX)", ENCRYPTED_HINT),
    _Refusal(4, b"ftypM4P", "protected by iTunes (M4P)", ENCRYPTED_HINT),
    _Refusal(0, b"\x03ds2", "DS2, an Olympus dictation format, which is not supported",
             "Save it as WAV or DSS with the recorder's own software."),
    _Refusal(0, b"MThd", "MIDI: notes for instruments, not a recording", "It contains no speech."),
    _Refusal(0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Fetch the file: git lfs pull"),
    _Refusal(0, b"%PDF", "a PDF document, not a recording", "Check its name."),
    _Refusal(0, b"PK\3\4", "a ZIP archive or an office document, not a recording", _UNPACK_HINT),
    _Refusal(0, b"Rar!", "a RAR archive, not a recording", _UNPACK_HINT),
    _Refusal(0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive, not a recording", _UNPACK_HINT),
    _Refusal(0, b"\x1f\x8b\x08", "compressed by gzip", _UNPACK_HINT),
)  # fmt: skip

_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
_ASF_ENCRYPTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
"""GUIDs of the encryption objects in the header of a WMA or WMV file."""

_WEB_PAGES = (b"<!doctype html", b"<html", b"<?xml")


def check_readable(path: Path, head: bytes) -> None:
    """Raise `InputError` if a file that begins with `head` is of a kind that cannot be transcribed."""
    for offset, signature, what, hint in _REFUSALS:
        if head.startswith(signature, offset):
            raise InputError(what, where=path, hint=hint)
    if head.startswith(_ASF):
        with path.open("rb") as file:
            header = file.read(ASF_BYTES)
        if any(guid in header for guid in _ASF_ENCRYPTION):
            raise InputError("encrypted Windows Media (DRM)", where=path, hint=ENCRYPTED_HINT)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower().startswith(_WEB_PAGES):
        hint = "Did a download fail, or was a link saved instead of the file?"
        raise InputError("a web page or XML, not audio or video", where=path, hint=hint)


def has_signature(head: bytes) -> bool:
    """Whether a file begins like a known audio or video format."""
    return any(head.startswith(signature, offset) for offset, signature in SOUND) or head[:189:188] == b"GG"


def is_text(head: bytes) -> bool:
    """Whether a file begins like text."""
    try:
        text = head[:TEXT_BYTES].decode()
    except UnicodeDecodeError as error:
        if error.start < TEXT_BYTES - 4:  # otherwise a character was cut at the end
            return False
        text = head[: error.start].decode()
    return bool(text.split(None, 1)[1:]) and all(character.isprintable() or character.isspace() for character in text)
