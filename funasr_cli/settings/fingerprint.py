"""The model and settings behind a result as one string: if it is unchanged, nothing has to be redone.

The string is recorded in every output folder and compared literally. So a field that is new to the settings is omitted
while its value means what was true before the field existed (`late`); otherwise a release would redo whole archives.
"""

from __future__ import annotations

import hashlib
import json

from funasr_cli.late_fields import as_record
from funasr_cli.models.store import Model
from funasr_cli.settings.transcription import Settings

EDITING = ("correction", "layout", "script", "segments")
"""Settings that apply to the text after recognition. So does `itn`, unless the model itself writes numbers."""


def fingerprint(settings: Settings, model: Model) -> str:
    """JSON of everything that affects the outputs except the list of formats; hotwords are represented by a hash."""
    words = sorted((word.text, word.weight) for word in settings.hotwords)
    matter = as_record(settings)
    del matter["formats"]
    matter["hotwords"] = hashlib.sha256(json.dumps(words).encode()).hexdigest() if words else None
    return json.dumps({"model": model.content, "precision": model.precision, **matter}, sort_keys=True)


def recognition_part(settings: str, *, writes_numbers: bool) -> str:
    """The part of a `fingerprint` on which recognition depends. `writes_numbers`: the model itself writes figures.

    If this part is unchanged, a transcript can be made again from the kept recognition result.
    """
    editing = EDITING if writes_numbers else (*EDITING, "itn")
    return json.dumps({key: value for key, value in json.loads(settings).items() if key not in editing}, sort_keys=True)
