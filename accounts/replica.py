"""Whether what is shown comes from a replica, because the primary database can't be reached.

Nothing can be written then; what would be written in passing, such as when a token was last used,
is left out. See also `config.read_only`.
"""

from datetime import datetime

from django.db import connection

#: In answers: up to which moment they are complete.
HEADER = "Data-As-Of"


def is_read() -> bool:
    """Tell whether this request reads a replica."""
    return connection.connection is not None and getattr(connection, "is_replica", False)


def as_of() -> datetime | None:
    """Return up to which moment the replica knows everything; None if it can't tell."""
    found: datetime | None = connection.as_of  # type: ignore[attr-defined]  # PostgreSQL's has it
    return found


def written(at: datetime | None) -> str:
    """Write the moment for `HEADER`: RFC 3339, in UTC."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "unknown"
