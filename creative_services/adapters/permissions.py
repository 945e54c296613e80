"""Whether a user holds a permission, asked in one query where Django's own backend is the only judge.

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
    from django.db.backends.base.base import BaseDatabaseWrapper


def holds(user: Any, permission: str) -> bool:
    """`user.has_perm(permission)`."""
    if not _is_djangos_to_say(user):
        return bool(user.has_perm(permission))
    if not user.is_active or user.is_superuser:
        return bool(user.is_active)
    app_label, _point, codename = permission.partition(".")
    connection = connections[router.db_for_read(Permission)]
    pk = user._meta.pk.get_db_prep_value(user.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(_query(connection), (app_label, codename, pk, pk))
        return cursor.fetchone() is not None


def _is_djangos_to_say(user: Any) -> bool:
    kind: Any = get_user_model()
    return (
        isinstance(user, kind)
        and getattr(kind, "has_perm", None) is PermissionsMixin.has_perm
        and all(type(backend) is ModelBackend for backend in get_backends())
    )


def _query(connection: BaseDatabaseWrapper) -> str:
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
    return QUERY.format_map({name: quote(value) for name, value in names.items()})


QUERY = """
SELECT 1 FROM {permission} p JOIN {type} t ON t.id = p.content_type_id
WHERE t.app_label = %s AND p.codename = %s AND (
  EXISTS (SELECT 1 FROM {own} o WHERE o.{own_permission} = p.id AND o.{own_user} = %s)
  OR EXISTS (
    SELECT 1 FROM {grant} g JOIN {member} m ON m.{member_group} = g.{grant_group}
    WHERE g.{grant_permission} = p.id AND m.{member_user} = %s))
"""
