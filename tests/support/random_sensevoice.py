"""SenseVoiceSmall checkpoints with random weights, in FunASR's own layout."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FULL: dict[str, Any] = {
    "model": "SenseVoiceSmall",
    "model_conf": {"length_normalized_loss": True, "sos": 1, "eos": 2, "ignore_id": -1},
    "encoder": "SenseVoiceEncoderSmall",
    "encoder_conf": {
        "output_size": 512,
        "attention_heads": 4,
        "linear_units": 2048,
        "num_blocks": 50,
        "tp_blocks": 20,
        "dropout_rate": 0.1,
        "positional_dropout_rate": 0.1,
        "attention_dropout_rate": 0.1,
        "input_layer": "pe",
        "pos_enc_class": "SinusoidalPositionEncoder",
        "normalize_before": True,
        "kernel_size": 11,
        "sanm_shfit": 0,
        "selfattention_layer_type": "sanm",
    },
    "tokenizer": "SentencepiecesTokenizer",
    "tokenizer_conf": {"bpemodel": None, "unk_symbol": "<unk>", "split_with_space": True},
    "frontend": "WavFrontend",
    "frontend_conf": {
        "fs": 16000,
        "window": "hamming",
        "n_mels": 80,
        "frame_length": 25,
        "frame_shift": 10,
        "lfr_m": 7,
        "lfr_n": 6,
        "dither": 0.0,
    },
}
"""The configuration of the published model, without parts that only training reads."""

TINY: dict[str, Any] = FULL | {
    "encoder_conf": FULL["encoder_conf"] | {"output_size": 64, "linear_units": 128, "num_blocks": 2, "tp_blocks": 1}
}


def write_checkpoint(folder: Path, tokens: Path, cmvn: Path, config: Mapping[str, Any] = FULL) -> None:
    """Make `folder` with config.yaml, model.pt, tokens.json and am.mvn, with the same weights each time."""
    import torch
    from funasr.models.sense_voice.model import SenseVoiceSmall

    folder.mkdir(parents=True)
    torch.manual_seed(0)
    network = SenseVoiceSmall(
        specaug=None,
        normalize=None,
        encoder=config["encoder"],
        encoder_conf=config["encoder_conf"],
        input_size=560,
        vocab_size=len(json.loads(tokens.read_text(encoding="utf-8"))),
        **config["model_conf"],
    )
    torch.save(network.state_dict(), folder / "model.pt")
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    shutil.copyfile(tokens, folder / "tokens.json")
    shutil.copyfile(cmvn, folder / "am.mvn")
