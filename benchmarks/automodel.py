"""Transcribe recordings with FunASR's own AutoModel, without VAD: what `funasr-cli score` compares ours with.

    python benchmarks/automodel.py CHECKPOINT RECORDINGS OUT

writes OUT/<stem>.txt for each recording in the folder RECORDINGS. Needs: pip install 'funasr-cli[export]'
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from funasr import AutoModel

from funasr_cli.audio.reader import open_recording


def main() -> None:
    checkpoint, recordings, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True)
    model = AutoModel(model=str(checkpoint), device="cpu", disable_update=True, disable_pbar=True)
    for path in sorted(recordings.iterdir()):
        with open_recording(path) as recording:
            samples = np.concatenate(list(recording.blocks()))
        text = model.generate(input=samples, language="auto", use_itn=False)[0]["text"]
        (out / f"{path.stem}.txt").write_text(text.rsplit("|>", 1)[-1] + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
