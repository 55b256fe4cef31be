"""Transcribe recordings with FunASR's own AutoModel, without VAD, to compare ours with `funasr-cli score`.

    python benchmarks/automodel.py CHECKPOINT RECORDINGS OUT

Writes OUT/<stem>.txt for each recording in the folder RECORDINGS. Needs: pip install 'funasr-cli[export]'
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from smoke import PAUSES, SHARED, CommandLines, is_installed, parser_of, run_benchmark, skip

from funasr_cli.audio.reader import open_recording


def main(command_line: Sequence[str]) -> None:
    from funasr import AutoModel

    parser = parser_of(__doc__)
    for name in ("checkpoint", "recordings", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args(command_line)
    arguments.out.mkdir(parents=True)
    model = AutoModel(model=str(arguments.checkpoint), device="cpu", disable_update=True, disable_pbar=True)
    for path in sorted(arguments.recordings.iterdir()):
        with open_recording(path) as recording:
            samples = np.concatenate(list(recording.blocks()))
        text = model.generate(input=samples, language="auto", use_itn=False)[0]["text"]
        (arguments.out / f"{path.stem}.txt").write_text(text.rsplit("|>", 1)[-1] + "\n", encoding="utf-8")


def smoke(folder: Path) -> CommandLines:
    if not (is_installed("torch") and is_installed("funasr")):
        skip("needs pip install 'funasr-cli[export]'")
    if not SHARED.is_dir():
        skip("needs a checkpoint from the developers' ../shared")
    recordings = folder / "recordings"
    recordings.mkdir()
    shutil.copy(PAUSES, recordings)
    yield SHARED / "nano", recordings, folder / "texts"
    assert (folder / "texts" / f"{PAUSES.stem}.txt").read_text(encoding="utf-8").strip(), "no text"


if __name__ == "__main__":
    run_benchmark(main, smoke)
