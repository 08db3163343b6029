"""A clock under the test's control, which the site takes for the real one."""

import sys
import time
from datetime import datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands still until the test moves it: `clock.passes(minutes=5)`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def passes(self, **much: float) -> None:
        self.now += timedelta(**much)

    def read(self) -> datetime:
        return self.now

    def stop(self, patch: pytest.MonkeyPatch) -> None:
        """Replace `timezone.now`, even where a module has imported the function."""
        real = timezone.now
        for module in list(sys.modules.values()):
            if vars(module).get("now") is real:
                patch.setattr(module, "now", self.read)
        patch.setattr(time, "time", lambda: self.now.timestamp())
