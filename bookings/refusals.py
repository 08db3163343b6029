"""How often something was refused at once, which leaves no booking."""

from django.db import models

from spaces.models import Space


class RefusalCount(models.Model):
    """Refusals of wishes for one local day, for one reason.

    A count is kept in several rows, so that a crowd that is refused doesn't wait for one of them.
    """

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    code = models.CharField(max_length=40)
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
