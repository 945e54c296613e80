"""Whose database connection is held while a provider talks."""

import pytest
from django.db import connection

from creative_services.testing import Reply
from tests.api.asking import Asker

# An in-memory SQLite would be lost with its connection, so Django never closes that.
STAYS_OPEN = connection.vendor == "sqlite"


@pytest.fixture
def seen(provider):
    """What the provider saw of the request's connection when it was asked."""
    seen = []

    def look(received):
        seen.append((connection.connection is not None, connection.in_atomic_block))
        return Reply("Hello")

    provider.answer_with(look)
    return seen


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stream", [True, False])
def test_a_request_gives_its_connection_back_before_the_provider_is_asked(asker, seen, stream):
    assert asker.generate(prompt="Hello", stream=stream).status == 200

    if asker.world == "wsgi":  # under ASGI the provider is asked in another thread
        assert seen == [(STAYS_OPEN, False)]


def test_a_connection_inside_a_transaction_is_left_alone(asker, seen):
    assert asker.generate(prompt="Hello").status == 200

    assert connection.in_atomic_block
    if asker.world == "wsgi":
        assert seen == [(True, True)]


def test_atomic_requests_of_the_project_wrap_no_call(caller, provider):
    depths = []

    def look(received):
        depths.append(len(connection.savepoint_ids))
        return Reply("Hello")

    provider.answer_with(look)
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert Asker("wsgi", caller).generate(prompt="Hello").status == 200
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert depths == [len(connection.savepoint_ids)]
