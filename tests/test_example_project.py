import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from example_project.database import database
from example_project.secret_key import secret_key

ROOT = Path(__file__).parents[1]


def manage(tmp_path, *arguments, **changes):
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment |= {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "DJANGO_SECRET_KEY": "only-for-this-test"}
    command = [sys.executable, "-W", "error", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment | changes, capture_output=True, text=True, check=False)


def test_its_checks_are_clean(tmp_path):
    result = manage(tmp_path, "check", "--fail-level", "WARNING")

    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize("server", ["asgi", "wsgi"])
def test_it_is_an_application_of_both_kinds(tmp_path, server):
    code = f"from example_project.{server} import application; assert callable(application)"

    assert manage(tmp_path, "shell", "--no-imports", "-c", code).returncode == 0


def test_debugging_is_off_unless_asked_for(tmp_path):
    code = "from django.conf import settings; print(settings.DEBUG)"
    options = ("shell", "--no-imports", "-c", code)

    assert manage(tmp_path, *options, DEBUG="").stdout.strip() == "False"
    assert manage(tmp_path, *options, DEBUG="1").stdout.strip() == "True"


@pytest.mark.parametrize(
    ("url", "engine", "name"),
    [
        ("sqlite:///", "sqlite3", ":memory:"),
        ("sqlite:////srv/a%20b.sqlite3", "sqlite3", "/srv/a b.sqlite3"),
        ("postgres://host/shop", "postgresql", "shop"),
        ("postgresql://host/shop", "postgresql", "shop"),
        ("mysql://host/shop", "mysql", "shop"),
        ("mariadb://host/shop", "mysql", "shop"),
    ],
)
def test_a_database_is_named_by_its_url(url, engine, name):
    settings = database(url)

    assert settings["ENGINE"] == f"django.db.backends.{engine}"
    assert settings["NAME"] == name


def test_user_and_password_of_the_url_are_unquoted():
    settings = database("postgres://ann:s%40lt@db.example:5433/shop")

    assert (settings["USER"], settings["PASSWORD"]) == ("ann", "s@lt")
    assert (settings["HOST"], settings["PORT"]) == ("db.example", 5433)


def test_an_unknown_kind_of_database_is_refused_without_showing_the_url():
    with pytest.raises(ImproperlyConfigured) as caught:
        database("oracle://ann:salt@db.example/shop")

    assert "salt" not in str(caught.value)


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "keys" / "secret_key"

    assert secret_key(path) == secret_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_agree_on_the_secret_key(tmp_path):
    path = str(tmp_path / "secret_key")
    code = f"from pathlib import Path; from example_project.secret_key import *; print(secret_key(Path({path!r})))"
    command = [sys.executable, "-c", code]
    with ThreadPoolExecutor(4) as threads:
        keys = set(threads.map(lambda _: subprocess.check_output(command, cwd=ROOT), range(4)))

    assert len(keys) == 1


def test_its_pages_about_the_api_load_nothing_from_elsewhere(tmp_path):
    code = (
        "from django.test import Client; from django.contrib.staticfiles import finders; import re\n"
        "page = Client(headers={'host': 'localhost'}).get('/api/docs/').content.decode()\n"
        "schema = Client(headers={'host': 'localhost'}).get('/api/schema/').content.decode()\n"
        'loaded = re.findall(r\'(?:src|href)="([^"]+)"\', page)\n'
        "print(all(finders.find(path.removeprefix('/static/')) for path in loaded), len(loaded))\n"
        "print('/api/llm/generate/:' in schema)\n"
    )
    result = manage(tmp_path, "shell", "--no-imports", "-c", code)

    assert result.stdout.split() == ["True", "4", "True"], result.stderr
