"""Who and what a run is about: members with tokens, places that all want, rules, webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scene:
    """What the members of a crowd know before they begin."""

    members: list[Mapping[str, str]] = field(default_factory=list)

    @classmethod
    def prepare(
        cls,
        settings: Mapping[str, str],
        *,
        members: int = 20,
        hooks: Mapping[str, str] | None = None,
    ) -> "Scene":
        """Make it in a database, by a process of the application's; return what it made.

        `settings` is the environment of that process, such as Cluster.settings; `hooks` has the
        addresses of the webhooks by name, such as Listeners.hooks.
        """
        return cls()
