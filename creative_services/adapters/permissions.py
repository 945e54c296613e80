"""Whether a user holds permissions, asked in one query where Django's own backend is the only judge.

Django reads all permissions of a user, in two queries that its ORM writes anew each time, which takes longer than
anything else in a request to this app.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_backends, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router

from creative_services.adapters.connections import connection_for
from creative_services.adapters.plain_rows import escaping

if TYPE_CHECKING:
    from collections.abc import Collection


GENERATE = "creative_services.generate"
"""Who may ask for answers."""
NOTED = "_creative_services_may_generate"
"""The attribute of a user on which it stands whether he may, when the statement that found him has told."""


def may_generate(user: Any) -> bool:
    """`user.has_perm(GENERATE)`."""
    return bool(held(user, (GENERATE,)))


def held(user: Any, permissions: Collection[str]) -> frozenset[str]:
    """Those of the permissions that `user.has_perm` would grant; in one query, however many they are."""
    if not _is_djangos_to_say(user.__class__):  # of a lazy user too, this is the class of the user
        return frozenset(one for one in permissions if user.has_perm(one))
    if not (user.is_active and permissions) or user.is_superuser:
        return frozenset(permissions if user.is_active else ())
    if tuple(permissions) == (GENERATE,) and hasattr(user, NOTED):
        return frozenset(permissions if getattr(user, NOTED) else ())
    using = router.db_for_read(Permission)
    names = [part for one in permissions for part in one.split(".", 1)]
    with connection_for(using) as connection, connection.cursor() as cursor:
        pk = user._meta.pk.get_db_prep_value(user.pk, connection)
        wanted = " OR ".join(["t.app_label = %s AND p.codename = %s"] * len(permissions))
        cursor.execute(_query(using, get_user_model(), wanted, "%s"), (*names, pk, pk))
        # MySQL's comparisons do not tell cases apart.
        return frozenset(permissions) & {f"{app_label}.{codename}" for app_label, codename in cursor.fetchall()}


def generate_column(using: str, users: Any, pk: str) -> tuple[list[str], dict[str, str]]:
    """The column that says whether the user of this primary key may generate, for a statement that reads the user.

    And its parameters, by name. None where Django's own backend is not the only judge, or another database is to be
    asked.
    """
    if not _is_djangos_to_say(users) or router.db_for_read(Permission) != using:
        return [], {}
    app_label, _, codename = GENERATE.partition(".")
    asked = _query(using, users, "t.app_label = %(app_label)s AND p.codename = %(codename)s", pk)
    return [f"EXISTS ({asked})"], {"app_label": app_label, "codename": codename}


def note_generate(user: Any, *, may: bool) -> None:
    """Keep what `generate_column` has told of this user."""
    setattr(user, NOTED, may)


def _is_djangos_to_say(kind: type) -> bool:
    return _judges_alone(kind, get_user_model(), tuple(settings.AUTHENTICATION_BACKENDS))


@cache
def _judges_alone(kind: type, users: type, _backends: tuple[str, ...]) -> bool:
    return (
        issubclass(kind, users)
        and getattr(kind, "has_perm", None) is PermissionsMixin.has_perm
        and all(type(backend) is ModelBackend for backend in get_backends())
    )


@cache
def _query(using: str, users: Any, wanted: str, pk: str) -> str:
    quote = escaping(connections[using])
    own, groups = users._meta.get_field("user_permissions"), users._meta.get_field("groups")
    of_groups: Any = Group._meta.get_field("permissions")
    names = {
        "permission": Permission._meta.db_table,
        "type": ContentType._meta.db_table,
        "own": own.m2m_db_table(),
        "own_user": own.m2m_column_name(),
        "own_permission": own.m2m_reverse_name(),
        "member": groups.m2m_db_table(),
        "member_user": groups.m2m_column_name(),
        "member_group": groups.m2m_reverse_name(),
        "grant": of_groups.m2m_db_table(),
        "grant_group": of_groups.m2m_column_name(),
        "grant_permission": of_groups.m2m_reverse_name(),
    }
    return QUERY.format_map({name: quote(value) for name, value in names.items()} | {"wanted": wanted, "pk": pk})


QUERY = """
SELECT t.app_label, p.codename FROM {permission} p JOIN {type} t ON t.id = p.content_type_id
WHERE ({wanted}) AND (
  EXISTS (SELECT 1 FROM {own} o WHERE o.{own_permission} = p.id AND o.{own_user} = {pk})
  OR EXISTS (
    SELECT 1 FROM {grant} g JOIN {member} m ON m.{member_group} = g.{grant_group}
    WHERE g.{grant_permission} = p.id AND m.{member_user} = {pk}))
"""
