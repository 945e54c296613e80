"""Runs a command the way people do, and keeps what it prints."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from django.core.management import CommandError, call_command


@dataclass
class Run:
    out: str
    err: str
    error: str | None
    code: int


def run(*words: str) -> Run:
    out, err = StringIO(), StringIO()
    try:
        call_command(*words, stdout=out, stderr=err)
    except CommandError as error:
        return Run(out.getvalue(), err.getvalue(), str(error), error.returncode)
    return Run(out.getvalue(), err.getvalue(), None, 0)
