"""Mail to members."""

from datetime import datetime


def deliver_mail(*, now: datetime) -> int:
    """Send some of the mail that is due; return how much."""
    return 0
