"""Heartbeats of the processes beside the site."""

from django.db import models


class WorkerHeartbeat(models.Model):
    """One worker, and when it was last seen. It deletes its row when it stops."""

    name = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
