from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid4)
    email = models.EmailField(unique=True)
    share = models.IntegerField(db_column="share%", default=0)

    objects = BaseUserManager()

    USERNAME_FIELD = "email"


class Employee(Person):
    """One in two tables."""

    room = models.CharField(max_length=10)
