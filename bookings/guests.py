"""People who come without an account, as the staff of one space know them."""

from collections.abc import Collection
from datetime import datetime
from enum import Enum
from functools import reduce
from operator import or_
from typing import ClassVar, Final, Self

from django.db import models
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.letters import NameField
from accounts.models import User
from bookings.states import OCCUPYING, State
from spaces.codes import new_code
from spaces.models import Space


class TheGuest(Enum):
    """Who acts when a guest does: nobody with an account. The door has checked the guest's link."""

    GUEST = "guest"


BY_GUEST: Final = TheGuest.GUEST

#: Who changes a booking. None: the house does.
type Actor = User | TheGuest

WORDS = 8  # in a search; more would only slow it down

#: The states of somebody who came.
CAME = (State.CHECKED_IN, State.COMPLETED)


class GuestQuerySet[G: models.Model](models.QuerySet[G]):
    def of(self, space: Space) -> Self:
        return self.filter(space=space)

    def unseen_since(self, at: datetime) -> Self:
        """Guests whom nobody has met since, not even at the door, and who have nothing ahead."""
        bookings = self.model._meta.get_field("bookings").related_model
        later = bookings._default_manager.filter(guest=OuterRef("pk"), ends_at__gt=at)  # type: ignore[union-attr]  # a relation
        waited = self.model._meta.get_field("waiting_parties").related_model
        at_the_door = waited._default_manager.filter(guest=OuterRef("pk"), created_at__gte=at)  # type: ignore[union-attr]  # a relation
        unmet = self.filter(~Exists(later), ~Exists(at_the_door), created_at__lt=at)
        return unmet.order_by("pk")

    def reached_by(self, *, phone_digits: str, email: str) -> Self:
        """Guests with this number or this address; an empty one is nobody's."""
        by_phone = Q(phone_digits=phone_digits) & ~Q(phone_digits="")
        return self.filter(by_phone | Q(email=email) & ~Q(email=""))

    def matching(self, text: str, numbers: Collection[str]) -> Self:
        """Guests whose name or e-mail has all words of a text, or whose phone one of the numbers.

        See also `SpaceQuerySet.called`.
        """
        named = Q()
        for word in text.split()[:WORDS]:
            # SQLite folds no other letters than English ones.
            spellings = {word, word.lower(), word.upper(), word.capitalize()}
            wanted = [Q(name__contains=each) for each in spellings]
            named &= reduce(
                or_, [*wanted, Q(name__icontains=word), Q(email__contains=word.lower())]
            )
        return self.filter(reduce(or_, [Q(phone_digits__contains=n) for n in numbers], named))

    def with_visits(self, now: datetime) -> Self:
        """Annotate `visits`, `no_shows`, `upcoming`, and `last_at`, the start of the last visit."""
        came = Q(bookings__state__in=CAME, bookings__starts_at__lte=now)
        ahead = Q(bookings__state__in=sorted(OCCUPYING), bookings__starts_at__gt=now)
        return self.annotate(
            visits=Count("bookings", came),
            no_shows=Count("bookings", Q(bookings__state=State.NO_SHOW)),
            upcoming=Count("bookings", ahead),
            last_at=Max("bookings__starts_at", filter=came),
        )

    def most_visits_first(self) -> Self:
        """Of those `with_visits`."""
        return self.order_by("-visits", "name", "pk")


class Guest(models.Model):
    """Somebody without an account whom a space has met, found again by phone, e-mail or name.

    A booking keeps its own copy of name and contact: what was said then. See also
    `bookings.deciding.knowing`.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, related_name="guests", verbose_name=_("space")
    )
    name = NameField(_("name"), max_length=150)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    # The international number's digits, for searching however somebody spells it.
    phone_digits = models.CharField(max_length=20, blank=True, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)  # in lower case
    note = models.CharField(
        _("note"), max_length=500, blank=True, help_text=_("For the staff alone.")
    )
    allergies = models.CharField(_("allergies and wishes"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("known since"))

    objects: ClassVar[models.Manager["Guest"]] = GuestQuerySet.as_manager()

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="guest_named"),
            # One row for one person, also when two bookings meet somebody new at the same time.
            models.UniqueConstraint(
                fields=["space", "phone_digits"],
                condition=~models.Q(phone_digits=""),
                name="guest_by_phone_once",
            ),
            models.UniqueConstraint(
                fields=["space", "email"],
                condition=~models.Q(email=""),
                name="guest_by_email_once",
            ),
        ]
        indexes = [
            # One person in all spaces, who has become a member.
            models.Index(fields=["email"], name="guest_at", condition=~models.Q(email="")),
        ]

    def __str__(self) -> str:
        return self.name


class GuestLinkQuerySet[L: models.Model](models.QuerySet[L]):
    def open(self) -> Self:
        return self.filter(revoked_at=None)


class GuestLink(models.Model):
    """An address at which a guest sees and changes one booking, without signing in.

    The secret in it is nowhere: it is made of `nonce` and the site's key, and found by its digest.
    So mail can repeat the link, and a copy of the database opens nothing. See also
    `bookings.deciding.links`.
    """

    booking = models.ForeignKey(
        "bookings.Booking", on_delete=models.CASCADE, related_name="guest_links"
    )
    nonce = models.CharField(max_length=43, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # The guest's, for letters: "" if nobody knows.
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["GuestLink"]] = GuestLinkQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
