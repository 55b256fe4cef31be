"""What a result was made with, as one string: if it is the same, nothing has to be made again.

It is on record in every output folder, and compared as it stands. So a field that is new to the settings is left out as
long as it says what held before (`late`): else one release would have whole archives done again.
"""

from __future__ import annotations

import hashlib
import json

from funasr_cli.late_fields import as_record
from funasr_cli.models.store import Model
from funasr_cli.settings.transcription import Settings


def fingerprint(settings: Settings, model: Model) -> str:
    """JSON of all that makes a difference to what is written, but which formats there are; hotwords as a hash."""
    words = sorted((word.text, word.weight) for word in settings.hotwords)
    matter = as_record(settings)
    del matter["formats"]
    matter["hotwords"] = hashlib.sha256(json.dumps(words).encode()).hexdigest() if words else None
    return json.dumps({"model": model.content, "precision": model.precision, **matter}, sort_keys=True)
