"""Strings that every database compares alike."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    Text = models.CharField[str, str]
else:
    Text = models.CharField

COLLATIONS = MappingProxyType({"mysql": "utf8mb4_bin"})


class ExactCharField(Text):
    """A string of which upper and lower case differ in MySQL and MariaDB too, as they do in the other databases."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        return super().db_parameters(connection) | {"collation": COLLATIONS.get(connection.vendor)}
