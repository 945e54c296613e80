"""What the demo puts into the database, and the site it serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils.crypto import get_random_string

from creative_services.models import Llms
from example_project.demo.model_server import ModelServer

ROW = "Demo model"
USER = "demo"


def migrate() -> None:
    """Bring the database up to date."""
    call_command("migrate", verbosity=0)


@contextmanager
def local_row(server: ModelServer) -> Iterator[None]:
    """The running model as a row of tier `local`, active for as long as the block lasts."""
    values = {
        "provider": "llama.cpp",
        "model": server.model,
        "tier": "local",
        "api_endpoint": f"{server.url}/v1",
        "max_tokens": 512,
        "cost_per_1k_input": 0,
        "cost_per_1k_output": 0,
        "is_active": True,
        "notes": "Made by `make demo`. Its endpoint is there only while the demo runs.",
    }
    llm, _ = Llms.objects.update_or_create(name=ROW, defaults=values)
    try:
        yield
    finally:
        # Only what this run registered: another demo may have taken the row over.
        Llms.objects.filter(pk=llm.pk, api_endpoint=values["api_endpoint"]).update(is_active=False)


def seed() -> None:
    """Rows for the provider keys that are in the environment."""
    call_command("seed_llms")


def admin_user() -> None:
    """A superuser with a random password, which is printed the one time it is made."""
    users = get_user_model()
    if users.objects.filter(**{users.USERNAME_FIELD: USER}).exists():
        change = f".venv/bin/python manage.py changepassword {USER}"
        print(f"Admin user {USER!r} is there from an earlier run. A new password: {change}")
        return
    password = get_random_string(16)
    users.objects.create_superuser(USER, "", password)
    print(f"Admin user {USER!r} with password {password!r}: written down nowhere else.")


def serve(host: str, port: int) -> None:
    """Serve admin and API until Ctrl-C."""
    print(f"\nAdmin  http://{host}:{port}/admin/\nAPI    http://{host}:{port}/api/llm/\nCtrl-C stops both.", flush=True)
    # Its banner would only repeat these lines.
    call_command("runserver", f"{host}:{port}", use_reloader=False, stdout=StringIO())
