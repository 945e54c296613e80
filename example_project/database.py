"""`DATABASE_URL` as Django's `DATABASES` entry: sqlite, postgres, mysql (also MariaDB)."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ENGINES = {
    "sqlite": "sqlite3",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}


def database(url: str) -> dict[str, Any]:
    """The database that `url` names: `postgres://user:password@host:5432/name`, `sqlite:////folder/file`.

    `sqlite:///` is one in memory.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ENGINES:
        msg = f"DATABASE_URL must begin with one of {', '.join(ENGINES)}, followed by ://."
        raise ImproperlyConfigured(msg)
    engine = ENGINES[parts.scheme]
    name = unquote(parts.path.removeprefix("/"))
    settings: dict[str, Any] = {"ENGINE": f"django.db.backends.{engine}", "NAME": name or ":memory:"}
    if engine == "sqlite3":
        # Writers that begin as readers cannot wait for each other in SQLite.
        settings["OPTIONS"] = {"timeout": 30, "transaction_mode": "IMMEDIATE"}
        return settings
    if engine == "mysql":
        _mysql_driver()
        settings["OPTIONS"] = {"charset": "utf8mb4"}
    return settings | {
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
    }


def _mysql_driver() -> None:
    """Let PyMySQL, which needs no compiler, stand in where mysqlclient is not installed."""
    try:
        import_module("MySQLdb")
    except ImportError:
        import_module("pymysql").install_as_MySQLdb()
