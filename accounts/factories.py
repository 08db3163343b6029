"""The smallest valid rows, for tests and demo data."""

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.joining import Tier
from accounts.models import StaffRole, User

PASSWORD = "correct horse battery"  # noqa: S105 - of people who don't exist


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"member{n}")
    password = PASSWORD

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        if kwargs.get("email"):
            kwargs.setdefault("email_confirmed_at", timezone.now())
        return model_class.objects.create_user(*args, **kwargs)


class StaffRoleFactory(DjangoModelFactory[StaffRole]):
    class Meta:
        model = StaffRole

    user = factory.SubFactory(UserFactory)
    # By name, as in the model: accounts doesn't know spaces.
    space = factory.SubFactory("spaces.factories.SpaceFactory")
    role = StaffRole.Role.HOST


class TierFactory(DjangoModelFactory[Tier]):
    class Meta:
        model = Tier

    space = factory.SubFactory("spaces.factories.SpaceFactory")
    name = factory.Sequence(lambda n: f"Tier {n}")
