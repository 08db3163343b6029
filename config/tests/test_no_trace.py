"""A member leaves with everything: what they take along, and that nothing stays.

Everything that a member can write carries a canary. After the erasure, all tables that the database
knows of are searched for all of them, and so are the cache and the log.
"""

import json
import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session as SessionRow
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import emails
from accounts.factories import PASSWORD, TierFactory, UserFactory
from accounts.models import User
from accounts.personal import EXPORTS
from accounts.sessions import SessionStore
from bookings.models import Booking, BookingEvent
from bookings.tests.door import add
from bookings.tests.programs import program, wish
from notifications.factories import WebhookFactory
from notifications.kafka.requests import Received, take
from notifications.mail.sending import deliver_mail
from notifications.models import Attempt, Delivery
from notifications.relay import fan_out

HOUR = timedelta(hours=1)

LOGIN = "zqlogin"
#: Each is written where its name says.
CANARIES = {
    "login": LOGIN,
    "name": "Zqname Zqsurname",
    "email": "zqmail@example.org",
    "pending": "zqpending@example.org",
    "note": "Zqnote by the window",
    "later_note": "Zqlaternote",
    "batch_note": "Zqbatchnote",
    "token": "Zqtoken",
    "request_key": "zq-request-key",
    "idempotency_key": "zq-idempotency-key",
    "kept_form": "Zqkept form",
}
#: What others wrote about the member; it isn't the member's to take along.
OF_OTHERS = {
    "staff_reason": "Zqreason of the staff",
    "answer": "Zqanswer of a receiver",
    "mail_error": "550 zqmail@example.org Zqunknown",
}


class Life:
    """A member does everything there is to do."""

    def __init__(self, desk, host, at):
        self.desk, self.host, self.at = desk, host, at
        self.member = UserFactory.create(username=LOGIN)
        self.client = Client()
        self.client.force_login(self.member, backend="config.auth.Backend")

    def form(self, hour, **more):
        starts_at = self.at + hour * HOUR
        times = {"starts_at": starts_at, "ends_at": starts_at + HOUR}
        written = {name: f"{at:%Y-%m-%dT%H:%M}" for name, at in times.items()}
        return {"place": str(self.desk.code), "party_size": "1", **written, **more}

    def fills_the_profile_in(self):
        fields = {"name": CANARIES["name"], "language": "en", "theme": "DARK", "time_zone": "UTC"}
        assert self.client.post("/accounts/profile/", fields).status_code == 302
        now = timezone.now()
        User.objects.filter(pk=self.member.pk).update(
            email=CANARIES["email"], email_confirmed_at=now
        )
        self.member.refresh_from_db()
        emails.ask(self.member, CANARIES["pending"], now=now)
        self.client.post("/accounts/calendar/")
        self.client.post("/accounts/notifications/", {"reminders": ""})
        fields = {"name": CANARIES["token"], "scope": "WRITE", "lifetime": "30"}
        fields["request_key"] = str(uuid4())
        self.client.post("/accounts/tokens/", fields)

    def books(self):
        made = self.client.post(
            "/bookings/",
            self.form(0, note=CANARIES["note"], request_key=CANARIES["request_key"]),
        )
        assert made.status_code in {302, 303}
        self.first = Booking.objects.get(request_key__contains=CANARIES["request_key"])
        api = program(self.member)
        keyed = {"idempotency-key": CANARIES["idempotency_key"]}
        asked = wish(self.desk, self.at + 2 * HOUR, note=CANARIES["note"])
        assert api.send("POST", "/bookings", asked, **keyed).status_code == 201
        waiting = wish(self.desk, self.at + 4 * HOUR, note=CANARIES["batch_note"])
        batch = api.post("/bookings/batch", {"bookings": [waiting]})
        assert batch.json()["results"][0]["status"] == 202
        answer = api.patch(f"/bookings/{self.first.code}", {"note": CANARIES["later_note"]})
        assert answer.status_code == 200
        staff = program(self.host)
        asked = wish(self.desk, self.at + 6 * HOUR, member=LOGIN, note=CANARIES["note"])
        assert staff.post("/bookings", asked, **{"idempotency-key": "staff"}).status_code == 201
        assert self.client.post(f"/bookings/{self.first.code}/cancel/").status_code in {302, 303}

    def leaves_forms_behind(self):
        """Forms that wait to be sent again: of somebody signed out, and signed in once more."""
        for client in (Client(), self.client):
            client.post("/bookings/", self.form(8, note=CANARIES["kept_form"], name=LOGIN))
        expired = Client()
        expired.post("/bookings/", self.form(8, note=CANARIES["kept_form"]))
        fields = {"username": LOGIN, "password": PASSWORD}
        expired.post("/accounts/login/", fields)

    def forgets_things(self):
        for who in (LOGIN, LOGIN.upper(), CANARIES["email"]):
            Client().post("/accounts/login/", {"username": who, "password": "wrong"})
            Client().post("/accounts/forgotten/", {"who": who})

    def is_met_by_others(self):
        boss = UserFactory.create(username="boss", is_superuser=True, is_staff=True)
        admin = Client()
        admin.force_login(boss, backend="config.auth.Backend")
        address = f"/admin/accounts/user/{self.member.pk}/change/"
        page = admin.get(address)
        fields = {n: v for n, v in page.context["adminform"].form.initial.items() if v is not None}
        admin.post(address, {**fields, "name": CANARIES["name"]})
        api_booking = Booking.objects.of(self.member).filter(note=CANARIES["note"]).first()
        desk = Client()
        desk.force_login(self.host, backend="config.auth.Backend")
        slug = self.desk.space.slug
        answer = desk.post(
            f"/staff/{slug}/bookings/{api_booking.code}/cancel/",
            {"reason": OF_OTHERS["staff_reason"]},
        )
        assert answer.status_code in {302, 303}
        add(
            self.desk.space,
            CANARIES["name"],
            party_size=1,
            email=CANARIES["email"],
            by=self.host,
            now=timezone.now(),
        )
        tier = TierFactory.create(space=self.desk.space)
        tier.memberships.create(user=self.member)
        value = json.dumps({"member": LOGIN, "place": "nowhere", "note": CANARIES["note"]})
        assert take(Received("requests", 0, 1, value.encode()), now=timezone.now()) is None

    def is_written_about(self):
        now = timezone.now()
        WebhookFactory.create(space=self.desk.space)
        while fan_out(now=now):
            pass
        deliver_mail(now=now)
        for delivery in Delivery.objects.filter(event__booking__member=self.member):
            Attempt.objects.create(
                delivery=delivery, at=now, milliseconds=3, response_body=OF_OTHERS["answer"]
            )
        Delivery.objects.filter(event__booking__member=self.member).update(
            error=OF_OTHERS["mail_error"]
        )


def everything():
    """Return every table of the database as text: what is encoded in it is decoded too."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = repr(cursor.fetchall())
    rows = SessionRow.objects.values_list("session_data", flat=True)
    found["what sessions say"] = repr([SessionStore().decode(row) for row in rows])
    found["cache"] = repr(getattr(cache, "_cache", {}))
    return found


def where(words):
    return {
        f"{word} in {table}"
        for table, text in everything().items()
        for word in words
        if word.lower() in text.lower()
    }


@pytest.fixture
def life(desk, host, soon):
    found = Life(desk, host, soon)
    found.fills_the_profile_in()
    found.books()
    found.leaves_forms_behind()
    found.forgets_things()
    found.is_met_by_others()
    found.is_written_about()
    return found


@pytest.mark.django_db(transaction=True)
def test_a_member_takes_everything_along_and_leaves_no_trace(life, caplog):
    words = [*CANARIES.values(), *OF_OTHERS.values()]
    assert {word for word in words if not where([word])} == set()  # each is somewhere
    numbers = counted()

    file = life.client.get("/accounts/data.json")
    assert file["Content-Disposition"] == 'attachment; filename="mesto.json"'
    assert {word for word in CANARIES.values() if word not in file.text} == set()
    assert CANARIES["later_note"] in life.client.get("/accounts/data.ics").text.replace("\r\n ", "")

    with caplog.at_level(logging.INFO):
        left = life.client.post("/accounts/delete/", {"password": PASSWORD})
        assert left.status_code == 302
        deliver_mail(now=timezone.now())
    assert where(words) == set()
    assert [word for word in words if word.lower() in caplog.text.lower()] == []
    assert counted() == numbers
    rows = {
        name: model._base_manager.filter(**{field: life.member.pk}).count()
        for name, model, field in leading_to_people()
    }
    assert {name for name, count in rows.items() if count} <= STAY.keys()
    call_command("check_bookings")


def counted():
    """Return how many bookings there are, and events that aren't of the leaving."""
    return Booking.objects.count(), BookingEvent.objects.exclude(kind="CANCELLED").count()


#: Rows that stay after somebody has left lead to an empty row of a person, for the history.
STAY = {
    "Booking.member": "a space's history",
    "BookingEvent.actor": "a space's history",
    "LogEntry.user": "who did what in the admin site",
    "TeamEvent.actor": "who brought whom into a team",
    "TeamEvent.person": "who was brought into a team",
    "AuditEntry.actor": "a changed set-up, by nobody who can be named",
    "FactorEvent.actor": "who took away somebody else's",
    "Invitation.invited_by": "an invitation that somebody else may still follow",
}
#: What is erased with its owner, and handed over before: by the name in the file.
HANDED_OVER = {
    "Authenticator.user": "second_factors",
    "FactorEvent.user": "second_factors",
    "Identity.user": "second_factors",
    "Passkey.user": "second_factors",
    "RecoveryCode.user": "second_factors",
    "ApiToken.user": "api_tokens",
    "CalendarFeed.user": "calendars",
    "EmailLetter.user": "account",
    "IdempotencyKey.user": "answers_kept_for_programs",
    "MailPreference.user": "mail",
    "PasswordRequest.user": "account",
    "Session.user": "signed_in",
    "StaffRole.user": "roles",
    "TierMember.user": "tiers",
}
#: Only Django's own tables of permissions, which are cleared, and flags for single people, which
#: nothing here reads or fills: see decision 0030.
OF_DJANGO = {"User_groups.user", "User_user_permissions.user", "Flag_users.user"}


def leading_to_people():
    for model in apps.get_models(include_auto_created=True):
        for each in model._meta.concrete_fields:
            if each.related_model is User and not model._meta.proxy:
                yield f"{model.__name__}.{each.name}", model, each.name


@pytest.mark.any_database
def test_every_table_that_leads_to_a_person_is_spoken_for():
    found = {name for name, _model, _field in leading_to_people()} - OF_DJANGO
    assert found - STAY.keys() - HANDED_OVER.keys() == set()
    assert set(HANDED_OVER.values()) <= EXPORTS.keys()
