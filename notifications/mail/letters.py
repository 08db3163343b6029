"""What a member is told: the words of each mail, in the active language.

A letter is data; `templates/notifications/mail/` decides how it looks.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import time_zones
from bookings.deciding import attendance, rules
from bookings.finding.links import board_url
from bookings.finding.signed import check_in_url
from bookings.models import Booking, BookingEvent
from bookings.words import words
from bookings.words.representation import BookingData, places_of, stays_put
from bookings.words.zones import Zones
from notifications.mail.readers import Reader
from notifications.preferences import unsubscribe_url
from spaces import setups
from spaces.contact import ask_the_staff
from spaces.models import Place, Space
from spaces.slots import Period
from spaces.venue import Venue


@dataclass(frozen=True)
class Link:
    words: str
    url: str


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Letter:
    """The words of one mail: an inbox shows `summary` beside the subject."""

    subject: str
    heading: str
    summary: str
    lines: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    afterwards: tuple[str, ...] = ()
    link: Link | None = None
    also: Link | None = None
    about: str = ""
    settings: Link | None = None
    unsubscribe: Link | None = None


@dataclass(frozen=True)
class Stay:
    """A booking as it was at one moment, for its reader."""

    booking: Booking
    place: Place
    period: Period
    party_size: int
    note: str
    reader: Reader
    now: datetime

    @property
    def space(self) -> Space:
        return self.booking.place.space

    @property
    def plain_when(self) -> str:
        return words.when(self.period, self.space.zone, self.now)

    @property
    def when(self) -> str:
        """Return when it is, for a line that has nowhere else to name the zone."""
        return self.noted(self.plain_when)

    @property
    def zone_words(self) -> str:
        return time_zones.in_words(self.space.time_zone)

    def noted(self, time: str) -> str:
        """Name a time's zone if it isn't the reader's own."""
        zones = Zones.of([self.space], reader=self.reader.member)
        return zones.noted(time, self.space.zone)

    @property
    def named(self) -> dict[str, str]:
        return {"place": str(self.place), "when": self.when, "space": self.space.name}

    @cached_property
    def venue(self) -> Venue:
        return setups.current(self.space.pk).venue_for(self.reader.member, self.period.starts_at)


def as_remembered(event: BookingEvent, data: BookingData, *, reader: Reader, now: datetime) -> Stay:
    """Return the booking as it was at an event, whatever has become of it since."""
    place = places_of([data]).get(data["place"]["code"], event.booking.place)
    starts_at, ends_at = (datetime.fromisoformat(data[name]) for name in ("starts_at", "ends_at"))
    return Stay(
        booking=event.booking,
        place=place,
        period=Period(starts_at, ends_at),
        party_size=data["party_size"],
        note=data["note"],
        reader=reader,
        now=now,
    )


def as_it_is(booking: Booking, *, reader: Reader, now: datetime) -> Stay:
    return Stay(
        booking=booking,
        place=booking.place,
        period=booking.period,
        party_size=booking.party_size,
        note=booking.note,
        reader=reader,
        now=now,
    )


def of_event(event: BookingEvent, *, to: Reader, now: datetime) -> Letter:
    """Write about an event of one of the kinds in `relay.MAILED`."""
    stay = as_remembered(event, event.data, reader=to, now=now)
    if event.kind == BookingEvent.Kind.CONFIRMED:
        return _confirmed(stay, event, now)
    if event.kind == BookingEvent.Kind.MOVED:
        return _moved(stay, event, now)
    if event.kind == BookingEvent.Kind.KEPT:
        return _kept(stay, event.data, now)
    if event.kind == BookingEvent.Kind.CANCELLED:
        return _cancelled(stay, event, now)
    if event.kind == BookingEvent.Kind.NO_SHOW:
        return _missed(stay, event, now)
    if event.kind == BookingEvent.Kind.UNDONE:
        return _undone(stay, now)
    return _rejected(stay, event.data, now)


def _confirmed(stay: Stay, event: BookingEvent, now: datetime) -> Letter:
    by_staff = event.actor_id is not None and not stay.reader.did(event)
    booked_for_you = _("The staff of %(space)s booked it for you.") % stay.named
    return _letter(
        stay,
        subject=_("%(place)s is yours: %(when)s") % stay.named,
        heading=_("%(place)s is yours.") % stay.named,
        lines=(booked_for_you,) if by_staff else (),
        facts=_facts(stay),
        afterwards=_changeable(stay, now, is_new=True),
        link=_to_booking(stay),
    )


def _moved(stay: Stay, event: BookingEvent, now: datetime) -> Letter:
    """Say where and when it is now; or, if that is as before, that something else changed."""
    earlier = BookingEvent.objects.before(event.sequence, of=event.booking).first()
    stayed = earlier is not None and stays_put(earlier.data, event.data)
    is_own, before = stay.reader.did(event), _before(stay, event, earlier, stayed)
    if rules.is_of_zone(event.data):
        line = _("%(space)s has another time zone now. Your booking keeps the time on the clock.")
        before = ()
    elif stayed:
        line = _("You changed it.") if is_own else _("The staff of %(space)s changed it.")
    else:
        line = _("You moved it.") if is_own else _("The staff of %(space)s moved it.")
    subject = _("Changed: %(place)s, %(when)s") if stayed else _("Moved: %(place)s, %(when)s")
    return _letter(
        stay,
        subject=subject % stay.named,
        heading=_("Your booking is changed.") if stayed else _("Your booking is moved."),
        lines=(line % stay.named,),
        facts=(*_facts(stay), *before),
        afterwards=_changeable(stay, now),
        link=_to_booking(stay),
    )


def _kept(stay: Stay, data: BookingData, now: datetime) -> Letter:
    """Say that it stays although something changed, and what did."""
    return _letter(
        stay,
        subject=_("Still yours: %(place)s, %(when)s") % stay.named,
        heading=_("Your booking stays as it is."),
        lines=(_("Something at %(space)s has changed:") % stay.named,),
        points=tuple(rules.reason(code) for code in data.get("problems", ())),
        facts=_facts(stay),
        afterwards=_changeable(stay, now),
        link=_to_booking(stay),
    )


def _before(
    stay: Stay, event: BookingEvent, earlier: BookingEvent | None, stayed: bool
) -> tuple[Fact, ...]:
    """Return where and when it was before a move, and the party size if that changed."""
    if earlier is None:
        return ()
    was = as_remembered(event, earlier.data, reader=stay.reader, now=stay.now)
    values = [] if stayed else [f"{was.place}, {was.plain_when}"]
    if was.party_size != stay.party_size:
        people = ngettext("%(n)d person", "%(n)d people", was.party_size)
        values.append(people % {"n": was.party_size})
    if not values:
        return ()
    return (Fact(_("Before"), " · ".join(values), "" if stayed else stay.zone_words),)


def _cancelled(stay: Stay, event: BookingEvent, now: datetime) -> Letter:
    is_own = stay.reader.did(event)
    if is_own:
        line = _("You cancelled it.")
    elif event.actor_id is None:
        line = _("It was cancelled automatically.")
    else:
        line = _("The staff of %(space)s cancelled it.") % stay.named
    reason = _("Reason: %(reason)s") % {"reason": event.reason} if event.reason else ""
    return _letter(
        stay,
        subject=_("Cancelled: %(place)s, %(when)s") % stay.named,
        heading=_("Your booking is cancelled."),
        lines=tuple(filter(None, (line, reason))),
        facts=_facts(stay),
        link=_to_booking(stay) if is_own else _to_board(stay, now),
    )


def _missed(stay: Stay, event: BookingEvent, now: datetime) -> Letter:
    if event.actor_id is None:
        line = _("Nobody had checked in by %(time)s, so the place was given back.") % {
            "time": stay.noted(words.clock(event.at, stay.space.zone))
        }
    else:
        line = _("The staff of %(space)s noted that nobody came.") % stay.named
    mistaken = f"{_('Is that a mistake?')} {ask_the_staff(stay.space)}"
    return _letter(
        stay,
        subject=_("Nobody came: %(place)s, %(when)s") % stay.named,
        heading=_("Your place was given back."),
        lines=(line, mistaken),
        facts=_facts(stay),
        link=_to_board(stay, now),
    )


def _undone(stay: Stay, now: datetime) -> Letter:
    return _letter(
        stay,
        subject=_("Still yours: %(place)s, %(when)s") % stay.named,
        heading=_("Your booking is as it was before."),
        lines=(_("The staff of %(space)s took back what they had just changed.") % stay.named,),
        facts=_facts(stay),
        afterwards=_changeable(stay, now),
        link=_to_booking(stay),
    )


def _rejected(stay: Stay, data: BookingData, now: datetime) -> Letter:
    return _letter(
        stay,
        subject=_("Not booked: %(place)s, %(when)s") % stay.named,
        heading=_("Your request could not be met."),
        points=tuple(rules.reason(code) for code in data.get("problems", ())),
        facts=_facts(stay),
        link=_to_board(stay, now),
    )


def of_reminder(booking: Booking, *, to: Reader, now: datetime) -> Letter:
    """Write about a booking that starts soon."""
    stay = as_it_is(booking, reader=to, now=now)
    zone = stay.space.zone
    day = words.relative_day(
        stay.period.starts_at.astimezone(zone).date(), now.astimezone(zone).date()
    )
    soon = stay.noted(f"{day} {words.span(stay.period, zone)}")
    changeable = _changeable(stay, now)
    lend = _("If you can’t come, cancel it: somebody else may need the place.")
    limits = stay.venue.limits(stay.place.kind, stay.period.starts_at)
    window = attendance.check_in(limits, booking)
    coming = attendance.reminders(
        window, limits.strikes, clock=lambda at: stay.noted(words.clock(at, zone))
    )
    letter = _letter(
        stay,
        subject=f"{soon} · {stay.place}",
        heading=f"{soon} · {stay.place}",
        facts=_facts(stay),
        afterwards=(*((lend, *changeable) if changeable else ()), *coming),
        link=_to_booking(stay),
    )
    if stay.reader.member is None:
        return letter  # the guest's link checks in too
    if window is not None:
        letter = replace(letter, also=Link(_("Check in"), check_in_url(booking)))
    stop = unsubscribe_url(stay.reader.member)
    return replace(letter, unsubscribe=Link(_("Don’t remind me any more"), stop))


def _letter(
    stay: Stay,
    *,
    subject: str,
    heading: str,
    facts: tuple[Fact, ...],
    link: Link | None,
    lines: tuple[str, ...] = (),
    points: tuple[str, ...] = (),
    afterwards: tuple[str, ...] = (),
) -> Letter:
    return Letter(
        subject=subject,
        heading=heading,
        summary=f"{stay.place} · {stay.plain_when} ({stay.zone_words}) · {stay.space.name}",
        lines=lines,
        points=points,
        facts=facts,
        afterwards=afterwards,
        link=link,
        about=_("Mesto writes to you about your bookings at %(space)s.") % stay.named,
        settings=_settings(stay.reader),
    )


def _settings(reader: Reader) -> Link | None:
    if not reader.settings:
        return None
    return Link(_("What Mesto writes to you"), _absolute(reader.settings))


def _facts(stay: Stay) -> tuple[Fact, ...]:
    """Return a booking's facts: what, when and in which zone, where, for how many."""
    facts = [
        Fact(_("Place"), str(stay.place)),
        Fact(_("When"), stay.plain_when, stay.zone_words),
        Fact(_("Where"), stay.space.name, stay.space.address),
        Fact(_("People"), str(stay.party_size)),
    ]
    # What strangers write isn't sent to whatever address they name.
    if stay.note and stay.booking.channel != Booking.Channel.GUEST:
        facts.append(Fact(_("Note"), stay.note))
    if stay.space.contacts:
        facts.append(Fact(_("Contact"), ", ".join(stay.space.contacts)))
    return tuple(facts)


def _changeable(stay: Stay, now: datetime, *, is_new: bool = False) -> tuple[str, ...]:
    """Say until when its member may change it; nothing after that. See also the ticket."""
    limits = stay.venue.limits(stay.place.kind, stay.period.starts_at)
    deadline = rules.deadline(limits, stay.period, made_at=stay.booking.decided_at or now)
    if not deadline.allows(now):
        return ()
    until = deadline.until
    zone = stay.space.zone
    time = stay.noted(words.clock(until, zone))
    named = {"until": f"{words.day_at(until, zone, now)}, {time}"}
    can_move = stay.space.is_active  # otherwise nothing can be booked there
    if is_new and not deadline.is_in_time(now):
        if can_move:
            return (_("A mistake? You can undo or move it until %(until)s.") % named,)
        return (_("A mistake? You can undo it until %(until)s.") % named,)
    if not can_move:
        return (_("You can cancel it until %(until)s.") % named,)
    return (_("You can move or cancel it until %(until)s.") % named,)


def _to_booking(stay: Stay) -> Link:
    return Link(_("Open the booking"), _absolute(stay.reader.ticket))


def _to_board(stay: Stay, now: datetime) -> Link:
    """Link to what is free at that time, or to the booking when that can't be searched any more."""
    if not stay.space.is_active or stay.period.starts_at <= now:
        return _to_booking(stay)
    path = board_url(
        stay.space,
        day=stay.venue.day_of(stay.period.starts_at),
        period=stay.period,
        party_size=stay.party_size,
    )
    return Link(_("Find another place"), _absolute(path))


def _absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"
