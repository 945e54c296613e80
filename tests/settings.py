"""Django settings of the tests: SQLite, or the database that DATABASE_URL names."""

import os
from urllib.parse import unquote, urlsplit

ENGINES = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "sqlite": "sqlite3"}


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    engine = ENGINES[parts.scheme]
    database: dict[str, object] = {"ENGINE": f"django.db.backends.{engine}", "NAME": unquote(parts.path[1:])}
    if engine == "sqlite3":
        # Writers that begin as readers cannot wait for each other in SQLite.
        options = {"timeout": 30, "transaction_mode": "IMMEDIATE"}
        return database | {"NAME": database["NAME"] or ":memory:", "OPTIONS": options}
    if engine == "mysql":
        import pymysql

        pymysql.install_as_MySQLdb()
        database["OPTIONS"] = {"charset": "utf8mb4"}
    return database | {
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
    }


SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
LANGUAGE_CODE = "en"
ROOT_URLCONF = "tests.urls"

DATABASES = {
    "default": _database(os.environ.get("DATABASE_URL", "sqlite:///")),
    "elsewhere": _database("sqlite:///"),
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "creative_services",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

STATIC_URL = "static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
