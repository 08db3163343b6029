from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BookingsConfig(AppConfig):
    name = "bookings"
    verbose_name = _("Bookings")

    def ready(self) -> None:
        from accounts import emails, people, personal
        from accounts.presses import ACTS, Act
        from accounts.wishes import KINDS, Kind
        from bookings.deciding.adopting import adopt
        from bookings.deciding.guards import bookings_that_keep, objection_to_reshaping
        from bookings.deciding.leaving import erase_bookings
        from bookings.finding import personal as of_bookings
        from bookings.finding import wanted
        from bookings.models import Booking
        from bookings.staff import acts
        from bookings.views.bookings import book
        from spaces.services import keepers, objections

        personal.EXPORTS["bookings"] = of_bookings.bookings_of
        personal.EXPORTS["as_guest"] = of_bookings.as_guest
        personal.ERASERS.append(erase_bookings)
        emails.CONFIRMED.append(lambda user, address, now: adopt(user, address, now=now))
        people.ALSO["upcoming_count"] = lambda person, now: (
            Booking.objects.filter(member=person).upcoming(now).count_subquery()
        )
        people.ALSO["newest_booking"] = lambda person, now: Booking.objects.newest_key_of(person)
        ACTS["bookings"] = Act(_("Book"), wanted.a_place)
        ACTS["reschedule"] = Act(_("Move"), wanted.a_place)
        KINDS.append(
            Kind(
                act="bookings",
                needed=("place", "starts_at", "ends_at"),
                optional=("party_size", "note"),
                key="request_key",
                carry_out=book,
                without_account=wanted.without_account,
            )
        )
        ACTS["check_in"] = ACTS["here"] = Act(_("Check in"), wanted.a_booking)
        ACTS["staff_no_shows"] = Act(_("Forgive"))
        KINDS.append(
            Kind(
                act="bookings",
                needed=("space", "starts_at", "party_size"),
                optional=("ends_at", "features", "area", "note"),
                key="request_key",
                carry_out=book,
                without_account=wanted.without_account,
            )
        )
        ACTS["guest"] = Act(_("Book"), wanted.a_place)
        ACTS["guest_move"] = Act(_("Move"), wanted.a_place)
        ACTS["guest_check_in"] = Act(_("I’m here"))
        ACTS["guest_cancel"] = Act(_("Cancel the booking"), is_dangerous=True)
        ACTS["cancel"] = Act(_("Cancel the booking"), wanted.a_booking, is_dangerous=True)
        for name in ("staff_booking", "staff_guest"):
            ACTS[name] = Act(_("Save"), wanted.of_staff)
        ACTS["staff_phone"] = Act(_("Book"), wanted.of_staff)
        ACTS["staff_walk_in"] = Act(_("Seat"), wanted.of_staff)
        ACTS["undo_walk_in"] = Act(pgettext_lazy("what was just done", "Undo"), wanted.of_staff)
        ACTS["staff_waiting"] = Act(_("Add to the list"))
        ACTS["staff_waiting_act"] = Act(wanted.door_verb, wanted.a_party)
        ACTS["waiting_yes"] = Act(_("Yes, we are coming"))
        ACTS["waiting_no"] = Act(_("No, thanks"))
        ACTS["staff_visit"] = Act(wanted.verb, wanted.a_visit)
        ACTS["staff_cancel"] = Act(_("Cancel the booking"), wanted.a_visit, is_dangerous=True)
        ACTS["leave"] = Act(_("Delete my account"), wanted.leaving, is_dangerous=True)
        acts.register()
        keepers.append(bookings_that_keep)
        objections.append(objection_to_reshaping)
