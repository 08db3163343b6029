"""Queries on bookings."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    StringAgg,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from accounts.models import User
from bookings.sorting import Sort
from bookings.states import COMPLETED_BY_TIME, EVER_HELD, OCCUPYING, UNDECIDED, State
from spaces.limits import LONGEST
from spaces.models import Place, Space
from spaces.related import related_model
from spaces.slots import Period

#: Nothing holds a place for longer, so a search for what overlaps a time need not begin earlier.
#: Bookings are shorter (`spaces.limits.LONGEST`), but clocks may change on the way. A constraint
#: of `Booking` guarantees it.
LONGEST_HELD = 2 * LONGEST

#: How many places a statement may name one by one.
MOST_LISTED = 1_000

#: So many of a person's bookings say which spaces to offer as filters.
RECENT = 200

#: How long the list of upcoming bookings shows that a queued request was refused.
REFUSALS_SHOWN_FOR = timedelta(days=1)


class WallClock(Func):
    """What a wall clock shows at an instant, in the zone named by a column. For sorting."""

    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="(%(expressions)s)", arg_joiner=" AT TIME ZONE ", **extra
        )

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "django_datetime_trunc('second', %(expressions)s, 'UTC')"
        return self.as_sql(compiler, connection, template=template, **extra)


class BookingQuerySet[B: models.Model](models.QuerySet[B]):
    def of(self, member: User) -> Self:
        return self.filter(member=member)

    def of_open_accounts(self) -> Self:
        """Bookings of members who may sign in."""
        return self.filter(member__is_active=True)

    def decided_of_guests_at(self, email: str) -> Self:
        """Decided bookings of guests whom a space knows by this address, in lower case."""
        if not email:
            return self.none()
        return self.filter(member=None, guest__email=email).exclude(state__in=UNDECIDED)

    def of_strangers_before(self, at: datetime, *, nameless: str) -> Self:
        """Bookings that ended before, of guests whom nobody has recognised, and who are named."""
        strangers = self.filter(member=None, guest=None, ends_at__lt=at)
        return strangers.exclude(guest_name=nameless, guest_contact="", note="")

    def of_guest(self, guest: models.Model) -> Self:
        return self.filter(guest=guest)

    def run_by(self, user: User) -> Self:
        """Bookings in the spaces whose day this person runs."""
        return self if user.is_superuser else self.filter(_at_places_run_by(user))

    def visible_to(self, user: User) -> Self:
        """A person's own bookings, and those in the spaces whose day the person runs."""
        if user.is_superuser:
            return self
        return self.filter(Q(member=user) | _at_places_run_by(user))

    def occupying(self) -> Self:
        return self.filter(state__in=sorted(OCCUPYING))

    def in_states(self, states: Collection[State]) -> Self:
        return self.filter(state__in=states)

    def undecided(self) -> Self:
        """Bookings that were accepted and are waiting for a decision."""
        return self.filter(state__in=sorted(UNDECIDED))

    def waiting_since(self) -> datetime | None:
        """Return when the request that has waited longest for a decision was received."""
        oldest: datetime | None = self.undecided().aggregate(at=Min("created_at"))["at"]
        return oldest

    def in_order_of_arrival(self) -> Self:
        return self.order_by("pk")

    def next_of_each_place(self) -> Self:
        """Each place's first undecided booking, in order of arrival."""
        firsts = self.undecided().order_by().values("place").annotate(first=Min("pk"))
        return self.filter(pk__in=firsts.values("first")).in_order_of_arrival()

    def upcoming(self, now: datetime) -> Self:
        """Bookings that hold a place now or later, soonest first."""
        return self.occupying().held_after(now).order_by("starts_at", "pk")

    def held_after(self, at: datetime) -> Self:
        """Of bookings that hold, or held, a place: those that end later than that.

        The second condition follows from the first. It lets any index by start skip the past.
        """
        return self.filter(ends_at__gt=at, starts_at__gt=at - LONGEST_HELD)

    def ahead(self, now: datetime) -> Self:
        """What is ahead, soonest first: bookings, waiting requests, and recently refused ones.

        Only refusals that came after the request: the others were shown at once.
        """
        not_over = Q(ends_at__gt=now, starts_at__gt=now - LONGEST_HELD)
        upcoming = Q(not_over, state__in=sorted(OCCUPYING))
        refused = Q(
            not_over,
            state=State.REJECTED,
            decided_at__gt=F("created_at"),
            decided_at__gte=now - REFUSALS_SHOWN_FOR,
        )
        found = self.filter(upcoming | Q(state__in=sorted(UNDECIDED)) | refused)
        return found.order_by("starts_at", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-starts_at", "-pk")

    def past_due(self, now: datetime) -> Self:
        """Bookings whose time is over and that nobody has completed yet, the oldest first."""
        due = self.filter(state__in=sorted(COMPLETED_BY_TIME), ends_at__lte=now)
        return due.order_by("ends_at")

    def to_remind_of(self, now: datetime, *, hours: int) -> Self:
        """Bookings of members, and of guests who left a contact, that start within their
        space's reminder time.

        Only those that were already so when the reminder fell due: whoever books or moves later
        than that needs no reminder.
        """
        events: EventQuerySet[Any] = EventQuerySet(related_model(self.model, "events"))
        before = timedelta(hours=hours)
        changed_since = events.filter(
            booking=OuterRef("pk"),
            kind__in=["CONFIRMED", "MOVED"],
            at__gt=OuterRef("starts_at") - before,
        )
        return self.filter(
            ~Exists(changed_since),
            Q(member__is_active=True) | Q(member=None) & ~Q(guest_contact=""),
            place__space__reminder_hours=hours,
            state=State.CONFIRMED,
            starts_at__gt=now,
            starts_at__lte=now + before,
        )

    def that_ever_held(self) -> Self:
        """Bookings that have or had their place, whatever became of them."""
        return self.filter(state__in=sorted(EVER_HELD))

    def touched_by(self, *, spaces: Collection[int], people: Collection[int]) -> Self:
        """Bookings in these spaces, and bookings of these people."""
        return self.filter(Q(place__space__in=spaces) | Q(member__in=people))

    def at_places(self, places: Collection[int]) -> Self:
        return self.filter(place__in=places)

    def overlapping(self, period: Period) -> Self:
        """Of bookings that hold, or held, a place: those that share an instant with a period."""
        return self.held_after(period.starts_at).filter(starts_at__lt=period.ends_at)

    def in_space(self, space: Space) -> Self:
        return self.filter(place__space=space)

    def no_shows(self, since: datetime) -> Self:
        """No-shows of bookings that began later than that, forgiven or not."""
        return self.filter(state=State.NO_SHOW, starts_at__gt=since)

    def beginning_before(self, at: datetime) -> Self:
        return self.filter(starts_at__lt=at)

    def missed_since(self, since: datetime) -> Self:
        """No-shows that nobody has forgiven, of bookings that began later than that."""
        return self.no_shows(since).filter(forgiven_at=None)

    def to_release(self, now: datetime) -> Self:
        """Bookings that have begun, and whose people haven't checked in where they have to.

        The spaces' rules say which of them are due.
        """
        begun = self.filter(
            state=State.CONFIRMED, starts_at__lte=now, starts_at__gt=now - LONGEST_HELD
        )
        asking = Space.objects.that_release().values("pk")
        return begun.filter(ends_at__gt=now, place__space__in=asking).order_by("starts_at", "pk")

    def of_channel(self, channel: str) -> Self:
        return self.filter(channel=channel)

    def made_within(self, period: Period) -> Self:
        """Bookings that were requested within a period, and begin about then or later.

        The second condition lets an index by start skip the past.
        """
        start = period.starts_at
        made = self.filter(created_at__gte=start, created_at__lt=period.ends_at)
        return made.filter(starts_at__gte=start - LONGEST_HELD)

    def in_space_called(self, slug: str) -> Self:
        return self.filter(place__space__slug=slug)

    def narrowed(self, *, state: str | None, space: Space | None) -> Self:
        """Keep one state, one space, or both; None keeps all."""
        found = self if state is None else self.filter(state=state)
        return found if space is None else found.in_space(space)

    def matching(
        self,
        *,
        states: Collection[State],
        space: str,
        place: UUID | None,
        starts_before: datetime | None,
        ends_after: datetime | None,
    ) -> Self:
        """Keep what matches all given values; `space` is a slug, `place` a code."""
        said = {
            "state__in": states,
            "place__space__slug": space,
            "place__code": place,
            "starts_at__lt": starts_before,
            "ends_at__gt": ends_after,
        }
        return self.filter(**{lookup: value for lookup, value in said.items() if value})

    def sorted_by(self, sort: Sort, *, after: list[str] | None = None) -> Self:
        """Sort, starting after a position. Raises ValueError for a wrong position."""
        rows = self if after is None else self.filter(sort.beyond(after, key_of=self._key_of))
        return rows.order_by(*sort.fields)

    def _key_of(self, code: UUID) -> int:
        """Return a booking's key, whatever was filtered. Raises ValueError if there is none."""
        for key in self.model._default_manager.filter(code=code).values_list("pk", flat=True):
            return int(key)
        raise ValueError(code)

    def recent_spaces(self) -> list[Space]:
        """Return the spaces that the latest of these bookings are in, by name."""
        latest = self.newest_first().values_list("place", flat=True)[:RECENT]
        places = Place.objects.filter(pk__in=set(latest)).order_by()
        return list(Space.objects.filter(pk__in=places.values("space")).by_name())

    def among_the_first(self, count: int) -> Self:
        """Keep the first so many, found without what is selected along with them.

        Joins for rows that are sorted, but not shown, cost the most.
        """
        return self.filter(pk__in=list(self.values_list("pk", flat=True)[:count]))

    def with_place(self) -> Self:
        return self.select_related("place__space")

    def with_person(self) -> Self:
        return self.with_place().select_related("member")

    def kinds_as_text(self) -> models.QuerySet[Any, Any]:
        """Return one row: `kinds` of place, once for each booking, separated by commas."""
        kinds = StringAgg("place__kind", Value(","))
        return self.order_by().values("member").annotate(kinds=kinds)

    def by_place(self, now: datetime) -> dict[int, tuple[int, int]]:
        """Count bookings by place: all of them, and those that hold it now or later."""
        ahead = Q(state__in=sorted(OCCUPYING), ends_at__gt=now)
        counted = (
            self.order_by().values_list("place").annotate(Count("pk"), ahead=Count("pk", ahead))
        )
        return {place: (every, upcoming) for place, every, upcoming in counted}

    def count_subquery(self) -> Subquery:
        """Return the number of rows as a correlated subquery."""
        counted = self.order_by().annotate(
            n=Func("pk", function="COUNT", output_field=IntegerField())
        )
        return Subquery(counted.values("n"))

    def newest_key_of(self, person: Any) -> Coalesce:
        """Return a person's highest key as a correlated subquery, or 0. It only ever grows.

        From a person to the same, in the order of both: then only the index by member will do. For
        an equal sign, planners may walk the primary key backwards, all of it for who has none.
        """
        theirs = self.filter(member__gte=person, member__lte=person)
        newest = theirs.order_by("member_id", "-pk").values("pk")[:1]
        return Coalesce(Subquery(newest), Value(0), output_field=BigIntegerField())


def _at_places_run_by(user: User) -> Q:
    """Return what keeps the places in the spaces whose day a person runs.

    They are read first: named in the statement, they need no join for rows that are left out, and
    for a member, who has none, the index by member is enough.
    """
    run = Place.objects.filter(space__in=Space.objects.run_by(user)).order_by()
    places = list(run.values_list("pk", flat=True)[: MOST_LISTED + 1])
    return Q(place__in=places if len(places) <= MOST_LISTED else run.values("pk"))


class EventQuerySet[E: models.Model](models.QuerySet[E]):
    def of_bookings(self, bookings: BookingQuerySet[Any]) -> Self:
        return self.filter(booking__in=bookings)

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """What happened from one instant until just before another; None means no limit."""
        found = self if since is None else self.filter(at__gte=since)
        return found if until is None else found.filter(at__lt=until)

    def of_booking(self, code: UUID) -> Self:
        return self.filter(booking__code=code)

    def last_of(self, booking: models.Model) -> E:
        """Return the last event of a booking, with the booking and its place."""
        found = self.filter(booking=booking).select_related("booking__place__space")
        return found.latest("sequence")

    def last_of_each_booking(self) -> Self:
        later = self.model._default_manager.filter(
            booking=OuterRef("booking"), sequence__gt=OuterRef("sequence")
        )
        return self.filter(~Exists(later))

    def unplaced(self) -> Self:
        """Events without a position in the log yet."""
        return self.filter(position=None)

    def before(self, sequence: int, *, of: models.Model) -> Self:
        """What happened to a booking before the event with this number, latest first."""
        return self.filter(booking=of, sequence__lt=sequence).order_by("-sequence")

    def undoing(self, event: Any) -> Self:
        """What took back an event: the next of its booking, or nothing."""
        return self.filter(booking=event.booking_id, sequence=event.sequence + 1, kind="UNDONE")

    def beyond(self, position: int) -> Self:
        """What comes after a position in the log, in order."""
        return self.filter(position__gt=position).order_by("position")
