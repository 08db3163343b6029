"""What a space's set-up is now, by a random name."""

from django.db import models


class SetupStamp(models.Model):
    """A random name for what a space's set-up is now: written by triggers, and by nobody else.

    One for each space; several after changes at the same time, so that nobody waits for another's.
    See also `spaces.triggers` and `spaces.setups`.
    """

    stamp = models.CharField(primary_key=True, max_length=36)
    # No constraint: it would lock the space's row with each change of a place.
    space = models.ForeignKey(
        "spaces.Space", on_delete=models.DO_NOTHING, db_constraint=False, related_name="stamps"
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.stamp
