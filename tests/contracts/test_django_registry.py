"""The same promises over rows in the database."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from creative_services.adapters import DjangoLLMRegistry
from creative_services.models import Llms
from creative_services.testing.contracts import RegistryContract


class OverRows(RegistryContract):
    def make(self, entries):
        Llms.objects.all().delete()
        for entry in entries:
            Llms.objects.create(
                id=entry.id,
                name=entry.name,
                provider=entry.provider,
                model=entry.model,
                tier=entry.tier.value,
                api_key=entry.api_key,
                api_endpoint=entry.api_endpoint or "",
                max_tokens=entry.max_tokens,
                temperature=entry.temperature,
                cost_per_1k_input=entry.cost_per_1k_input,
                cost_per_1k_output=entry.cost_per_1k_output,
                is_active=entry.is_active,
            )
        return self.registry()

    def run(self, coroutine):
        async def awaited():
            return await coroutine

        return async_to_sync(awaited)()


@pytest.mark.django_db
class TestDjangoLLMRegistry(OverRows):
    def registry(self):
        return DjangoLLMRegistry()


@pytest.mark.django_db
class TestDjangoLLMRegistryOfAQueryset(OverRows):
    def registry(self):
        return DjangoLLMRegistry(Llms.objects.filter(provider__in=["openai", "ollama"]))


@pytest.mark.django_db(transaction=True)
class TestDjangoLLMRegistryOfCommittedRows(OverRows):
    """Outside a transaction the registry remembers the rows; inside, above, it reads them each time."""

    kept = DjangoLLMRegistry()

    def registry(self):
        return self.kept
