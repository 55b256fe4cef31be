"""SIGINT, SIGTERM and SIGHUP: the first signal asks the run to stop soon and cleanly, the second stops it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


LEAVE_TIMEOUT_S = 1.0
"""Seconds for the display to restore the terminal before the process ends at once."""


def heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    """The signals that this process was not started to ignore.

    `nohup` has a process ignore SIGHUP, and a shell has background processes of a script ignore SIGINT.
    """
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


class Interrupted(BaseException):
    """The run was asked to stop. Not an `Exception`, so that error handlers do not swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """`exit_codes.INTERRUPTED`, `TERMINATED` or `HUNG_UP`."""
        return 128 + self.number


class StopSignals:
    """A context in which `check` raises `Interrupted` after a first signal, and a second signal ends the process.

    Python runs signal handlers only between its own instructions, and a runtime may not return for seconds. So the
    second signal is not left to a handler: the interpreter writes the number of each signal to a pipe on arrival, and a
    thread reads it.

    `suspend` is called before the process is stopped (Ctrl-Z) or ends at once, and `resume` after it continues (fg).
    """

    def __init__(self, suspend: Callable[[], object] = int, resume: Callable[[], object] = int) -> None:
        self._suspend = suspend
        self._resume = resume
        self._received: int | None = None
        self._count = 0
        self._before: dict[int, object] = {}

    def check(self) -> None:
        """Raise `Interrupted` if a signal has arrived."""
        if self._received is not None:
            raise Interrupted(self._received)

    def __enter__(self) -> StopSignals:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        for number in heeded(*STOPPING):
            self._before[number] = signal.signal(number, self._note)
        for number in heeded(signal.SIGTSTP):
            self._before[number] = signal.signal(number, self._stop)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # returned by signal.signal
        os.close(self._writer)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._received = number

    def _stop(self, number: int, _: FrameType | None) -> None:
        """Stop as the signal does by default: not at all if no shell could continue this process."""
        self._suspend()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)
        self._resume()

    def _watch(self) -> None:
        with os.fdopen(self._reader, "rb", buffering=0) as pipe:
            while byte := pipe.read(1):
                self._count += byte[0] in STOPPING
                if self._count == 2:
                    # In a thread, because a terminal may block writes.
                    leaving = threading.Thread(target=self._suspend, daemon=True)
                    leaving.start()
                    leaving.join(LEAVE_TIMEOUT_S)
                    os._exit(128 + byte[0])
