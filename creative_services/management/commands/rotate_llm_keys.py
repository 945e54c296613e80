"""`manage.py rotate_llm_keys`: brings stored API keys under the first of the encryption keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import router, transaction

from creative_services.core.errors import ConfigurationError
from creative_services.models import Llms, touch_registry

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from creative_services.models.querysets import LlmsQuerySet


class Command(BaseCommand):
    """Encrypts anew every key that the first encryption key does not open; each row in a transaction of its own."""

    help = "Encrypt the API keys of all LLMs with the first of ENCRYPTION_KEYS, after which the others can go."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be done.")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        using = router.db_for_write(Llms)
        rows: LlmsQuerySet = Llms.objects.using(using).order_by("pk")
        done, lost = 0, 0
        try:
            for row in [row for row in rows if row.api_key and not row.api_key.is_current]:
                if self._rotates(row, using, dry_run=dry_run):
                    done += 1
                else:
                    lost += 1
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{'Would be encrypted' if dry_run else 'Encrypted'} anew: {done}.")
        if lost:
            raise CommandError(f"{lost} cannot be decrypted, see above: enter them again, or restore the key that did.")

    def _rotates(self, row: Llms, using: str, *, dry_run: bool) -> bool:
        try:
            row.api_key.resealed()
        except ConfigurationError:
            self.stderr.write(f"#{row.pk} {row.name}: its API key cannot be decrypted.")
            return False
        if not dry_run:
            reseal(row.pk, using)
        self.stdout.write(f"#{row.pk} {row.name}")
        return True


def reseal(pk: int, using: str) -> None:
    """Encrypt this row's key anew as it is now; others may have edited or deleted the row since it was listed."""
    with transaction.atomic(using=using):
        # The token first: other writers of rows wait from here on, so that none is overwritten.
        touch_registry(using)
        rows = Llms.objects.using(using).filter(pk=pk)
        for row in rows.filter(api_key__isnull=False):
            rows.update(api_key=row.api_key.resealed())
