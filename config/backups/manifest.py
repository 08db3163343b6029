"""What a backup says of itself: enough to refuse a damaged, foreign or too new one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, Protocol

FORMAT = 1
SUFFIX = ".json"


class Refused(Exception):
    """A backup can't be taken or restored; the sentence says why and what to do."""


class Cursor(Protocol):
    """A cursor of Django, psycopg or sqlite3."""

    def execute(self, statement: Any, /) -> Any: ...
    def fetchall(self) -> Any: ...


@dataclass(frozen=True)
class Content:
    """What is in a database at one instant."""

    counts: Mapping[str, int]  # rows of each table
    migrations: Sequence[str]
    last_event: int | None

    @classmethod
    def of(cls, cursor: Cursor, tables: Sequence[str]) -> "Content":
        def ask(statement: str) -> Any:
            cursor.execute(statement)
            return cursor.fetchall()

        return cls(
            # The names are the database's own.
            counts={
                table: ask(f'SELECT count(*) FROM "{table}"')[0][0]  # noqa: S608  # see above
                for table in sorted(tables)
            },
            migrations=[
                f"{app}.{name}"
                for app, name in ask("SELECT app, name FROM django_migrations ORDER BY app, name")
            ]
            if "django_migrations" in tables
            else [],
            last_event=ask("SELECT max(id) FROM bookings_bookingevent")[0][0]
            if "bookings_bookingevent" in tables
            else None,
        )


@dataclass(frozen=True)
class Manifest:
    name: str  # the file beside it
    made_at: str  # RFC 3339, UTC
    engine: str
    server: int  # major version; 0 for SQLite
    release: str
    content: Content
    bytes: int
    sha256: str
    is_encrypted: bool
    format: int = FORMAT

    def write(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def read(cls, text: str) -> "Manifest":
        try:
            found = json.loads(text)
            if found["format"] > FORMAT:
                raise Refused("This backup was made by a newer release: restore it with that one.")
            return cls(**{**found, "content": Content(**found["content"])})
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"The manifest of the backup is damaged: {error}.") from error

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    def compare(self, restored: Content) -> None:
        """Refuse what isn't exactly what was backed up."""
        if restored == self.content:
            return
        differing = sorted(
            table
            for table in {*self.content.counts, *restored.counts}
            if self.content.counts.get(table) != restored.counts.get(table)
        )
        raise Refused(
            "What was restored is not what was backed up, so nothing was changed; these differ: "
            f"{', '.join(differing) or 'the last event or the migrations'}."
        )


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


#: Told how much was done since it was last told.
type Progress = Callable[[int], object]
