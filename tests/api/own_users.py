"""Asks with keys of users that have UUIDs. Run in a process of its own, since a project has one user model.

Its argument names the model.
"""

import sys
from io import StringIO
from pathlib import Path

import django
from django.conf import settings

sys.path.insert(0, str(Path(__file__).parents[2]))

settings.configure(
    SECRET_KEY="only-for-tests",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    ROOT_URLCONF="creative_services.urls",
    AUTH_USER_MODEL=f"own_users.{sys.argv[1]}",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework",
        "tests.own_users",
        "creative_services",
    ],
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from creative_services import Caller  # noqa: E402
from creative_services.adapters import get_sync_client  # noqa: E402
from creative_services.models import LlmCall, MachineKey  # noqa: E402
from creative_services.testing import LlmsFactory, override_llms  # noqa: E402


def status(text: str) -> int:
    client = Client(headers={"authorization": f"Bearer {text}"})
    return client.post("/generate/", {"prompt": "Hello"}, "application/json").status_code


call_command("migrate", run_syncdb=True, verbosity=0)
ann = get_user_model().objects.create(email="ann@example.com")
ann.user_permissions.add(Permission.objects.get(codename="generate"))
LlmsFactory()
out = StringIO()
call_command("create_llm_key", "ann@example.com", "--name", "Nightly build", stdout=out)
key = out.getvalue().strip()
with override_llms():
    statuses = [status(key), status(key[:-1])]
    assert LlmCall.objects.get().user == MachineKey.objects.get().user == ann
    statuses.append(status(key))
    get_sync_client().generate("Hello", caller=Caller(user_id=str(ann.pk)))  # as a task's arguments have it
    assert LlmCall.objects.filter(user=ann, source="python").exists()
print(*statuses)  # noqa: T201
