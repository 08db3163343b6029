"""The life of a booking."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    CREATED = "CREATED", _("received")
    CHECKING_AVAILABILITY = "CHECKING_AVAILABILITY", _("being checked")
    AWAITING_APPROVAL = "AWAITING_APPROVAL", _("awaiting approval")
    OFFERED = "OFFERED", _("offered")
    CONFIRMED = "CONFIRMED", _("confirmed")
    CHECKED_IN = "CHECKED_IN", _("checked in")
    COMPLETED = "COMPLETED", _("completed")
    NO_SHOW = "NO_SHOW", _("no show")
    CANCELLED = "CANCELLED", _("cancelled")
    REJECTED = "REJECTED", _("not booked")
    EXPIRED = "EXPIRED", _("expired")


#: Booked slots exist exactly while a booking is in one of these.
OCCUPYING = frozenset({State.AWAITING_APPROVAL, State.OFFERED, State.CONFIRMED, State.CHECKED_IN})

#: The place was held, though perhaps given back: what belongs in a calendar.
EVER_HELD = OCCUPYING | {State.COMPLETED, State.NO_SHOW, State.CANCELLED}

#: What becomes COMPLETED when its time is over.
COMPLETED_BY_TIME = frozenset({State.CONFIRMED, State.CHECKED_IN})

#: Accepted, but not decided yet.
UNDECIDED = (State.CREATED, State.CHECKING_AVAILABILITY)

#: The states that are in use; the others are for future features.
MET = (
    *UNDECIDED,
    State.OFFERED,
    State.CONFIRMED,
    State.CHECKED_IN,
    State.COMPLETED,
    State.NO_SHOW,
    State.CANCELLED,
    State.REJECTED,
    State.EXPIRED,
)

#: Where a booking may go from each state. Only taking back what was just done leads back: UNDOING.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.CHECKING_AVAILABILITY}),
    State.CHECKING_AVAILABILITY: frozenset(
        {
            State.CHECKING_AVAILABILITY,  # again: the worker that checked it was lost
            State.CONFIRMED,
            State.AWAITING_APPROVAL,
            State.OFFERED,
            State.REJECTED,
        }
    ),
    State.AWAITING_APPROVAL: frozenset({State.CONFIRMED, State.REJECTED, State.CANCELLED}),
    State.OFFERED: frozenset({State.CONFIRMED, State.CANCELLED, State.EXPIRED}),
    State.CONFIRMED: frozenset({State.CHECKED_IN, State.COMPLETED, State.NO_SHOW, State.CANCELLED}),
    State.CHECKED_IN: frozenset({State.COMPLETED}),
    State.COMPLETED: frozenset(),
    State.NO_SHOW: frozenset(),
    State.CANCELLED: frozenset(),
    State.REJECTED: frozenset(),
    State.EXPIRED: frozenset(),
}

#: Where a booking returns to when the last thing that was done to it is undone.
UNDOING: dict[State, frozenset[State]] = {
    State.OFFERED: frozenset({State.OFFERED}),  # moved or extended
    State.CONFIRMED: frozenset({State.CONFIRMED}),  # moved or extended
    State.CHECKED_IN: frozenset({State.CONFIRMED, State.CHECKED_IN}),
    State.COMPLETED: frozenset({State.CONFIRMED, State.CHECKED_IN}),
    State.NO_SHOW: frozenset({State.CONFIRMED}),
    # Not OFFERED: whoever a cancelled hold was for waits again, perhaps for another.
    State.CANCELLED: frozenset({State.CONFIRMED, State.AWAITING_APPROVAL}),
}


def sources(target: State) -> list[State]:
    """Return the states from which a booking may move to `target`."""
    return [state for state, targets in TRANSITIONS.items() if target in targets]


def may_follow(earlier: State, later: State) -> bool:
    """Tell whether two events of one booking may follow each other.

    A decision passes through CHECKING_AVAILABILITY inside one transaction and leaves one event; a
    booking that moves to another time keeps its state.
    """
    if later in TRANSITIONS[earlier] or (earlier == later and earlier in OCCUPYING):
        return True
    return earlier == State.CREATED and later in TRANSITIONS[State.CHECKING_AVAILABILITY]
