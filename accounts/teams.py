"""The staff of a space: their roles changed and taken away. People come by invitation."""

from datetime import datetime

from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts import trail
from accounts.models import StaffRole, User


class LastManager(Exception):
    """Without this person, nobody could set the space up."""

    def __str__(self) -> str:
        return _("Somebody has to manage the space. Make another person a manager first.")


@transaction.atomic
def change_role(
    user: User, *, space: models.Model, role: str | None, by: User, now: datetime
) -> bool:
    """Give one of the staff another role there, or none; False if they aren't staff.

    Raises LastManager. The managers' rows are locked: of two who leave at once, one stays.
    """
    Role = StaffRole.Role
    here = StaffRole.objects.filter(space=space.pk)
    managers = here.filter(role=Role.MANAGER).order_by("pk").select_for_update()
    keys = [held.user_id for held in managers]
    if role != Role.MANAGER and keys == [user.pk] and not by.is_superuser:
        raise LastManager
    mine = here.filter(user=user)
    count = mine.delete()[0] if role is None else mine.update(role=role)
    if count == 1:
        kind = trail.Kind.LEFT if role is None else trail.Kind.ROLE
        trail.note(kind, space.pk, by=by, now=now, person=user, role=role)
    return count == 1
