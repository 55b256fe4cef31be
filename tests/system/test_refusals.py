"""Refusals by the system are distinguished from bugs."""

from __future__ import annotations

from funasr_cli.system.refusals import refusal_of


def raised(handled: Exception, then: Exception, cause: Exception | None = None) -> Exception:
    try:
        try:
            raise handled
        except Exception:
            if cause is None:
                raise then  # noqa: B904
            raise then from cause
    except Exception as error:
        return error


def test_a_bug_in_what_handles_a_refusal_is_a_bug() -> None:
    missing = FileNotFoundError(2, "No such file or directory", "/nope")
    assert refusal_of(raised(missing, KeyError("bug"))) is None
    told = refusal_of(raised(missing, RuntimeError("cannot load"), missing))
    assert told is not None
    assert (told.what, told.where) == ("No such file or directory", "/nope")


def test_memory_that_ran_out_is_the_reason_wherever_it_showed() -> None:
    told = refusal_of(raised(MemoryError(), KeyError("half made")))
    assert told is not None
    assert told.what == "out of memory"
