"""A SECRET_KEY of this machine's own, so that none is ever in the repository."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.management.utils import get_random_secret_key


def secret_key(path: Path) -> str:
    """The key kept in `path`, made on first use and readable by its owner only."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return _keep(get_random_secret_key(), path)


def _keep(key: str, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent) as draft:  # readable by its owner only
        draft.write(key)
        draft.flush()
        try:
            # Whole or not at all, and the first of two processes wins.
            os.link(draft.name, path)
        except FileExistsError:
            return path.read_text()
    return key
