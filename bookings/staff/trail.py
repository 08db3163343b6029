"""What happened to a space's people, in words."""

from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.joining import Invitation, TeamEvent
from accounts.models import User
from spaces.models import Space

#: The latest are shown.
MOST = 50

Kind = TeamEvent.Kind


def trail_in_words(space: Space) -> list[tuple[datetime, str]]:
    """Return when and what, the latest first."""
    events = TeamEvent.objects.filter(space=space.pk).select_related("actor", "person")
    return [(event.at, sentence(event)) for event in events.order_by("-at", "-pk")[:MOST]]


def sentence(event: TeamEvent) -> str:
    """Say what happened to somebody in the team."""
    role = dict(Invitation.Role.choices).get(event.role, event.role)
    named = {
        "actor": _name(event.actor, _("Somebody at the server")),
        "person": _name(event.person, _("somebody who is gone")),
        "email": event.email or _("an address that is forgotten"),
        "role": f"{role}, {event.tier}" if event.tier else str(role),
    }
    said: dict[str, Callable[[], str]] = {
        Kind.INVITED: lambda: _("%(actor)s invited %(email)s (%(role)s)."),
        Kind.REVOKED: lambda: _("%(actor)s revoked the invitation to %(email)s (%(role)s)."),
        Kind.JOINED: lambda: _("%(person)s accepted the invitation to %(email)s (%(role)s)."),
        Kind.ROLE: lambda: _("%(actor)s gave %(person)s a role: %(role)s."),
        Kind.LEFT: lambda: _("%(actor)s took %(person)s off the staff."),
    }
    return said[event.kind]() % named if event.kind in said else event.kind


def _name(user: User | None, unknown: str) -> str:
    return user.get_full_name() if user is not None else unknown
