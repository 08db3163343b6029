"""Two spaces side by side: what of one is secret, and what must not change from the other.

Whose a row is follows from its foreign keys, so a new table is watched too; one that leads to no
space fails until it is named below.
"""

from dataclasses import dataclass, field

from django.apps import apps
from django.db import models

from accounts.models import User
from bookings.models import BookingEvent
from config.auditing import way_to_space
from spaces.models import Space

OURS = {"accounts", "spaces", "bookings", "notifications", "config"}

#: Tables that are no space's.
OF_NO_SPACE = {
    "User": "a person may come to several spaces; their names and addresses are watched as text",
    "Session": "a person's",
    "ApiToken": "a person's: other people's are tried as such",
    "IdempotencyKey": "a person's",
    "Authenticator": "a person's",
    "FactorEvent": "a person's",
    "Identity": "a person's",
    "Passkey": "a person's",
    "RecoveryCode": "a person's",
    "PasswordRequest": "a person's",
    "PasswordQuestion": "nobody's yet",
    "EmailLetter": "a person's",
    "Tally": "counts by a hash",
    "MailPreference": "a person's",
    "RefusedRequest": "for superusers only",
    "Cursor": "a number of the whole log",
    "WorkerHeartbeat": "a process",
}

#: What everybody may see on the board.
PUBLIC = {"Space", "Place", "OpeningHours", "Closure", "Policy", "Shift", "YearlyClosure"}
#: Not written by anybody, or by the database's rules.
FIXED = {"state", "kind", "channel", "purpose", "role", "language", "digest", "nonce", "area"}
FIXED |= {"hint", "secret", "previous_secret", "phone_digits", "request_key", "scope", "theme"}
FIXED |= {"slug", "time_zone", "password", "look"}


def tables():
    """Return (model, lookup) of all tables of ours that belong to spaces."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in OURS and not model._meta.proxy:
            way = way_to_space(model)
            if way is not None:
                found.append((model, way))
            elif not model._meta.auto_created:
                assert model.__name__ in OF_NO_SPACE, f"whose is a {model.__name__}?"
    return found


def rows_of(space, people):
    """Return everything in a space, and of its people, as text, by table and key."""
    found = {}
    for model, way in tables():
        rows = model._base_manager.filter(**{way: space.pk}).distinct()
        found |= {(model.__name__, row.pk): repr(row.__dict__) for row in _bare(rows)}
    for model in apps.get_models(include_auto_created=True):
        concrete = model._meta.concrete_fields
        fields = [each.name for each in concrete if each.related_model is User]
        for name in fields if model.__name__ not in OF_ALL_PEOPLE else ():
            rows = model._base_manager.filter(**{f"{name}__in": people})
            found |= {(model.__name__, row.pk): repr(row.__dict__) for row in _bare(rows)}
    return found


#: Their space's are watched; what these people did elsewhere isn't theirs alone.
OF_ALL_PEOPLE = {"AuditEntry", "Booking", "BookingEvent", "TeamEvent", "LogEntry"}


def _bare(rows):
    for row in rows:
        row.__dict__.pop("_state", None)
        yield row


@dataclass
class Secrets:
    """Words that stand in a space's rows, and in its people's, and nowhere else."""

    space: Space
    mark: str
    words: set = field(default_factory=set)

    def plant(self, people):
        """Write a word of its own into each text that somebody typed; return the words."""
        for model, way in tables():
            if model.__name__ not in PUBLIC:
                for row in model._base_manager.filter(**{way: self.space.pk}).distinct():
                    self._mark(row)
        for person in people:
            self._mark(person, ("name", "email"))
        return self

    def _mark(self, row, only=None):
        written = {}
        for each in row._meta.concrete_fields:
            is_text = isinstance(each, models.CharField | models.TextField) and not each.choices
            if not is_text or each.name in FIXED or each.unique or each.primary_key:
                continue
            if only is None or each.name in only:
                written[each.attname] = self._word(each, row)
        if written:
            type(row)._base_manager.filter(pk=row.pk).update(**written)
        if isinstance(row, BookingEvent):
            row.data["note"] = self._new(row)
            contact = {"guest_name": self._new(row)}
            BookingEvent.objects.filter(pk=row.pk).update(data=row.data, contact_before=contact)

    def _new(self, row):
        word = f"{self.mark}{type(row).__name__.lower()}{row.pk}"
        self.words.add(word)
        return word

    def _word(self, each, row):
        word = self._new(row) + each.name.replace("_", "")
        self.words.add(word)
        if isinstance(each, models.EmailField) or each.name == "guest_contact":
            return f"{word}@example.org"
        if each.name == "url":
            return f"https://{word}.example/"
        return word[: each.max_length] if each.max_length else word

    def in_text(self, text):
        """Return what a page tells of them; names and words in lower case too."""
        return {text[at : at + 60] for at in [text.lower().find(self.mark)] if at >= 0}
