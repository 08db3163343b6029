"""How often something was refused at once, which leaves no booking."""

from django.db import models
from django.utils.translation import pgettext_lazy

from spaces.models import Space


class Door(models.TextChoices):
    """Where somebody asked for what was refused."""

    ONLINE = "ONLINE", pgettext_lazy("where something was refused", "online")
    PHONE = "PHONE", pgettext_lazy("where something was refused", "by phone")
    WALK_IN = "WALK_IN", pgettext_lazy("where something was refused", "without a booking")
    DESK = "DESK", pgettext_lazy("where something was refused", "changed by the staff")
    SCREEN = "SCREEN", pgettext_lazy("where something was refused", "at a screen")


class RefusalCount(models.Model):
    """Refusals of wishes for one local day, for one reason, at one door.

    A count is kept in several rows, so that a crowd that is refused doesn't wait for one of them;
    each door has parts of its own.
    """

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    code = models.CharField(max_length=40)
    # Empty: counted by a process of a release that didn't know.
    door = models.CharField(
        max_length=8, choices=Door.choices, blank=True, default="", db_default=""
    )
    part = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["space", "day", "code", "part"], name="refusal_count_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.code}: {self.count}"
