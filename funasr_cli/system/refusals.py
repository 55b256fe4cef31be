"""Resources that the system refuses: memory, open files, processes, disk space. Such an error is not a bug."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator

from funasr_cli.errors import FunasrError, InputError, MachineError
from funasr_cli.files import megabytes

BUG = "This is a bug in funasr-cli. Set FUNASR_CLI_DEBUG=1 for a traceback."

NO_MEMORY_TEXTS = (
    "bad_alloc",
    "failed to allocate memory",
    "Cannot allocate memory",
    "failed to map segment",
    "Unable to allocate",
)
"""Texts in errors of runtimes, the dynamic linker and NumPy, which have various types."""

NO_THREAD_TEXTS = ("can't start new thread", "Resource temporarily unavailable")

FILES_PER_RUN = 18
"""Files that a run has open besides those for its children: libraries during loading, record, pipes, memory."""

FILES_PER_CHILD = 4
"""Files that a run has open for each child, including those open briefly while it starts."""


def refusal_of(error: BaseException) -> MachineError | None:
    """The refusal that caused an error, with a remedy; None if the error is probably a bug."""
    for cause in _causes(error):
        text = str(cause)
        if isinstance(cause, MemoryError) or any(part in text for part in NO_MEMORY_TEXTS):
            return MachineError("out of memory", hint=more_memory())
        number = cause.errno if isinstance(cause, OSError) else None
        if number in (errno.EMFILE, errno.ENFILE) or "Too many open files" in text:
            return MachineError("too many open files", hint=more_files())
        if number == errno.EAGAIN or any(part in text for part in NO_THREAD_TEXTS):
            return MachineError("no more processes or threads can be started", hint=MORE_PROCESSES)
        if isinstance(cause, OSError) and cause in (error, error.__cause__):  # not one from the implicit context
            what = cause.strerror or text or type(cause).__name__
            return MachineError(what, where=cause.filename, hint="Set FUNASR_CLI_DEBUG=1 for a traceback.")
    return None


def cure_of(error: BaseException) -> str | None:
    """The remedy for an error if it is a refusal."""
    refusal = refusal_of(error)
    return refusal.hint if refusal else None


def as_funasr_error(error: Exception, path: str | os.PathLike[str]) -> FunasrError:
    """The error itself, or an `InputError` for a failure on one recording that need not affect the others."""
    if isinstance(error, FunasrError):
        return error
    refusal = refusal_of(error)
    if refusal is None:
        return InputError(f"unexpected {type(error).__name__}: {error}", where=path, hint=BUG)
    what = refusal.what if refusal.where in (None, os.fspath(path)) else f"{refusal.where}: {refusal.what}"
    return InputError(what, where=path, hint=refusal.hint)


def more_memory() -> str:
    """Hint: free memory, raise the limit, or use less."""
    less = "use less: --cpu-runs 1 --workers 1"
    if not addresses_are_limited():
        return f"Free some memory, or {less}"
    limit = megabytes(resource.getrlimit(resource.RLIMIT_AS)[0])
    return f"Each process is limited to {limit}. Raise the limit (ulimit -v unlimited), or {less}"


def addresses_are_limited() -> bool:
    """Whether `ulimit -v` limits how much memory a process may map."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def more_files() -> str:
    """Hint: raise the limit for open files."""
    return f"The limit is {open_files_limit()}. Raise it: ulimit -n 1024"


MORE_PROCESSES = "Raise the limit (ulimit -u; pids.max of the control group), or use fewer: --workers 1"


def open_files_limit() -> int:
    """How many files this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def check_open_files(children: int) -> None:
    """Raise `MachineError` if this process may not open enough files for a run with `children` child processes."""
    needed, limit = FILES_PER_RUN + FILES_PER_CHILD * children, open_files_limit()
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise MachineError(f"a run with {children} processes needs {needed} open files", hint=more_files())


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and the chain of its causes."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
