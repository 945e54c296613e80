"""`manage.py create_llm_key`: a machine key, printed once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from creative_services.adapters.machine_keys import issue

if TYPE_CHECKING:
    from argparse import ArgumentParser


MOST_DAYS = 36_500


class Command(BaseCommand):
    """Prints the key to stdout, and nothing else there; what else is to say goes to stderr."""

    help = "Make a key with which machines ask the REST API in a user's name. It is printed now and never again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="In whose name the key asks.")
        parser.add_argument("--name", required=True, help="What the key is for.")
        parser.add_argument("--expires-in", type=int, metavar="DAYS", help="Days that the key is good for.")

    def handle(self, *, username: str, name: str, expires_in: int | None, **options: Any) -> None:
        users = get_user_model()
        try:
            user = users._default_manager.get(**{users.USERNAME_FIELD: username})
        except users.DoesNotExist:
            raise CommandError(f"There is no user {username!r}.") from None
        if expires_in is not None and not 0 < expires_in <= MOST_DAYS:
            raise CommandError(f"--expires-in must be a number of days from 1 to {MOST_DAYS}.")
        expires_at = None if expires_in is None else timezone.now() + timedelta(days=expires_in)
        try:
            row = issue(user, name, expires_at)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if not user.has_perm("creative_services.generate"):
            self.stderr.write(f"{username} has no permission creative_services.generate yet: the key will be refused.")
        self.stdout.write(str(row.text))
