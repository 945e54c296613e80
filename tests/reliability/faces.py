"""All faces of the clients at once: what waits, waits once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.core.asking import STREAMED, WHOLE, Ask


def by_every_face(check: Callable[[Ask], None], faces: Sequence[Ask] = (*WHOLE, *STREAMED)) -> None:
    """Run the check with each face, all at the same time; the first failure, by its face, fails the test."""
    with ThreadPoolExecutor(len(faces)) as pool:
        running = [(ask, pool.submit(check, ask)) for ask in faces]
    for ask, done in running:
        error = done.exception()
        if error is not None:
            error.add_note(f"asked by {ask.__name__}")
            raise error
