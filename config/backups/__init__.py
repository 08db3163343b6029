"""Backups: what `manage.py backup` takes and `manage.py restore` brings back."""

from pathlib import Path
from typing import Any

from config.given import Given


def given(env: Given, var: Path) -> dict[str, Any]:
    """Return the setting BACKUPS."""
    return {
        "url": env.str("BACKUP_URL", otherwise=str(var / "backups")),
        "s3_key": env.str("BACKUP_S3_KEY"),
        "s3_secret": env.str("BACKUP_S3_SECRET"),
        "keep": env.int("BACKUP_KEEP"),
        "recipient": env.str("BACKUP_AGE_RECIPIENT"),
        "max_age_hours": env.int("BACKUP_MAX_AGE_HOURS"),
    }
