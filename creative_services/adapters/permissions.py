"""Whether a user holds permissions, asked in one query where Django's own backend is the only judge.

Django reads all permissions of a user, in two queries that its ORM writes anew each time, which takes longer than
anything else in a request to this app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_backends, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.backends.base.base import BaseDatabaseWrapper


def holds(user: Any, permission: str) -> bool:
    """`user.has_perm(permission)`."""
    return permission in held(user, (permission,))


def held(user: Any, permissions: Collection[str]) -> frozenset[str]:
    """Those of the permissions that `user.has_perm` would grant; in one query, however many they are."""
    if not _is_djangos_to_say(user):
        return frozenset(one for one in permissions if user.has_perm(one))
    if not (user.is_active and permissions) or user.is_superuser:
        return frozenset(permissions if user.is_active else ())
    connection = connections[router.db_for_read(Permission)]
    pk = user._meta.pk.get_db_prep_value(user.pk, connection)
    names = [part for one in permissions for part in one.split(".", 1)]
    with connection.cursor() as cursor:
        cursor.execute(_query(connection, len(permissions)), (*names, pk, pk))
        return frozenset(f"{app_label}.{codename}" for app_label, codename in cursor.fetchall())


def _is_djangos_to_say(user: Any) -> bool:
    return (
        isinstance(user, get_user_model())
        # Of a lazy user too, this is the class of the user.
        and getattr(user.__class__, "has_perm", None) is PermissionsMixin.has_perm
        and all(type(backend) is ModelBackend for backend in get_backends())
    )


def _query(connection: BaseDatabaseWrapper, count: int) -> str:
    quote = connection.ops.quote_name
    user: Any = get_user_model()
    own, groups = user._meta.get_field("user_permissions"), user._meta.get_field("groups")
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
    wanted = " OR ".join(["t.app_label = %s AND p.codename = %s"] * count)
    return QUERY.format_map({name: quote(value) for name, value in names.items()} | {"wanted": wanted})


QUERY = """
SELECT t.app_label, p.codename FROM {permission} p JOIN {type} t ON t.id = p.content_type_id
WHERE ({wanted}) AND (
  EXISTS (SELECT 1 FROM {own} o WHERE o.{own_permission} = p.id AND o.{own_user} = %s)
  OR EXISTS (
    SELECT 1 FROM {grant} g JOIN {member} m ON m.{member_group} = g.{grant_group}
    WHERE g.{grant_permission} = p.id AND m.{member_user} = %s))
"""
