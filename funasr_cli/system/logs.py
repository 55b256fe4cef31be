"""The debug log: a logger for each module, silent by default."""

from __future__ import annotations

import os

PACKAGE = "funasr_cli"
DEBUG_VARIABLE = "FUNASR_CLI_DEBUG"
LINE = "%(asctime)s %(processName)s[%(process)d] %(name)s: %(message)s"


def is_debugging() -> bool:
    """Whether the environment asks for tracebacks and the log."""
    return os.environ.get(DEBUG_VARIABLE, "0").lower() not in ("", "0", "false", "no", "off")


def show_debug_log() -> None:
    """Print the log to stderr, in this process and its children."""
    import logging  # --help does not need it

    os.environ[DEBUG_VARIABLE] = "1"
    logger = logging.getLogger(PACKAGE)
    if logger.level != logging.DEBUG:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(LINE))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
