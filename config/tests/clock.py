"""A clock that a test owns: what the site takes for the time of day."""

import sys
import time
from datetime import datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands still, and goes on when the test says so: `clock.passes(minutes=5)`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def passes(self, **much: float) -> None:
        self.now += timedelta(**much)

    def read(self) -> datetime:
        return self.now

    def stop(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of `timezone.now`, also where a module has imported the function."""
        real = timezone.now
        for module in list(sys.modules.values()):
            if vars(module).get("now") is real:
                patch.setattr(module, "now", self.read)
        patch.setattr(time, "time", lambda: self.now.timestamp())
