"""Time zones by their names."""

from __future__ import annotations

from zoneinfo import ZoneInfo


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of this name, such as `Europe/Berlin`; None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # the last where the name is that of a folder of them, such as `Europe`
        return None
