"""Files that cannot be read are refused with a message that names their kind and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.audio.raw_format import RawFormat
from funasr_cli.audio.reader import open_recording
from funasr_cli.errors import InputError
from tests.audio.test_reader import encode, read, tone

JUNK = bytes(range(256)) * 20

FILES = {
    "voice.amr": (b"#!SILK_V3" + JUNK, "SILK audio, as used by WeChat.*\n.*--raw s16le:24000:1"),
    "wechat.amr": (b"\x02#!SILK_V3" + JUNK, "SILK audio, as used by WeChat.*\n.*silk-v3-decoder"),
    "voice.silk": (b"\x03#!SILK_V3" + JUNK, "SILK"),
    "noname": (b"\x02#!SILK_V3" + JUNK, "SILK"),
    "song.ncm": (b"CTENFDAM\x01\x61" + JUNK, "encrypted by NetEase"),
    "song.kgm": (b"\x7c\xd5\x32\xeb\x86\x02\x7f\x4b" + JUNK, "encrypted by KuGou"),
    "book.aax": (b"\0\0\0\x20ftypaax \0\0\0\1" + JUNK, "protected by Audible"),
    "memo.ds2": (b"\x03ds2" + JUNK, "Olympus"),
    "song.mid": (b"MThd\0\0\0\6" + JUNK, "MIDI"),
    "minutes.mp3": (b"%PDF-1.7\n" + JUNK, "a PDF document"),
    "all.wav": (b"PK\3\4" + JUNK, "a ZIP archive"),
    "a.mp3": (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>403 Forbidden</html>" * 9, "a web page.*\n.*download"),
    "b.m4a": (b'<?xml version="1.0"?><Error>AccessDenied</Error>', "a web page or XML"),
    "c.wav": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
}


@pytest.mark.parametrize("raw", [None, RawFormat("s16le", 16_000, 1)])
@pytest.mark.parametrize("name", FILES)
def test_what_nobody_reads_is_called_what_it_is(tmp_path: Path, name: str, raw: RawFormat | None) -> None:
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        open_recording(tmp_path / name, raw=raw)


def test_encrypted_windows_media_is_refused_and_other_is_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wma", "wmav2", tone(48_000), 48_000)
    assert len(read(path)[0])
    content = path.read_bytes()
    encryption = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    path.write_bytes(content[:200] + encryption + content[216:])
    with pytest.raises(InputError, match=r"encrypted Windows Media \(DRM\)"):
        open_recording(path)


def test_the_stub_of_a_voice_message_is_silk(shared: Path) -> None:
    with pytest.raises(InputError, match="SILK"):
        open_recording(shared / "cases" / "audio" / "wechat-silk.amr")
