"""Who and what a run is about, as its members know it before they begin.

Another process makes it (`chaos.prepare`): nothing here knows the application.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chaos.layout import ROOT
from chaos.programs import PATH


@dataclass(frozen=True)
class Hook:
    """A webhook: where to call whom, and what its calls are signed with."""

    url: str
    secret: str


@dataclass(frozen=True)
class Member:
    username: str
    password: str
    token: str


@dataclass(frozen=True)
class Place:
    id: int
    code: str


@dataclass(frozen=True)
class Space:
    slug: str
    aim: str  # contested, free, halls, quota
    time_zone: str
    step: int  # minutes
    longest: int  # steps that anybody asks for
    opens: int  # hour
    closes: int
    first_day: str
    days: int
    places: list[Place]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def instant(self, day: int, minutes: int) -> datetime:
        """Return the time so many minutes after opening, on a day counted from 0."""
        opens = datetime.combine(date.fromisoformat(self.first_day), time(self.opens), self.zone)
        # Its zone has no clock changes.
        return opens + timedelta(days=day, minutes=minutes)

    def place(self, code: str) -> Place | None:
        return next((place for place in self.places if place.code == code), None)


@dataclass(frozen=True)
class Scene:
    """The members and the spaces of one run; their names are its own."""

    run: str = ""
    members: list[Member] = field(default_factory=list)
    spaces: list[Space] = field(default_factory=list)

    @classmethod
    def prepare(
        cls,
        settings: Mapping[str, str],
        *,
        members: int = 20,
        hooks: Mapping[str, Hook] | None = None,
        tree: Path = ROOT,
    ) -> "Scene":
        """Make one in a database, by a process of the application's; return it.

        `settings` is the environment of that process, such as Cluster.settings; `hooks` are the
        webhooks by aim, such as Listeners.hooks. `tree` is the release that the database is of; one
        from before there was a `chaos.prepare` takes ours.
        """
        asked = {
            "members": members,
            "hooks": {aim: asdict(hook) for aim, hook in (hooks or {}).items()},
        }
        made = subprocess.run(
            [sys.executable, "-m", "chaos.prepare"],
            cwd=tree,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), **settings},
            input=json.dumps(asked),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return cls.read(json.loads(made.stdout))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Scene":
        """Return a scene from what `asdict` made of it."""
        return cls(
            values["run"],
            [Member(**each) for each in values["members"]],
            [_space(each) for each in values["spaces"]],
        )

    def space(self, aim: str) -> Space:
        return next(space for space in self.spaces if space.aim == aim)


def _space(values: Mapping[str, Any]) -> Space:
    places: Sequence[Any] = values["places"]
    return Space(**{**values, "places": [Place(**each) for each in places]})
