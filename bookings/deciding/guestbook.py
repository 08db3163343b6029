"""What the staff write down about a guest."""

from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding.errors import BookingError, NotStaff
from bookings.deciding.knowing import country_of, digits
from bookings.deciding.transactions import transactional
from bookings.guests import Guest
from spaces.models import Space


class GuestTaken(BookingError):
    """Another guest of the space has this phone or e-mail."""

    code = "guest_taken"


@dataclass(frozen=True, kw_only=True)
class AboutGuest:
    """A guest's card, as it shall be."""

    name: str
    phone: str
    email: str
    note: str
    allergies: str


@transactional
def describe(guest: Guest, about: AboutGuest, *, by: User) -> Guest:
    """Write a guest's card; bookings keep what was said then.

    Raises NotStaff, GuestTaken, and Guest.DoesNotExist when it was erased meanwhile.
    """
    guest = Guest.objects.select_for_update(no_key=True).get(pk=guest.pk)
    if not Space.objects.run_by(by).filter(pk=guest.space_id).exists():
        raise NotStaff(_("Only the staff of that space may do that."))
    values = asdict(about) | {
        "email": about.email.lower(),
        "phone_digits": digits(about.phone, country_of(guest.space)) if about.phone else "",
    }
    for name, value in values.items():
        setattr(guest, name, value)
    try:
        with transaction.atomic():
            guest.save(update_fields=list(values))
    except IntegrityError as error:
        raise GuestTaken(_("Another guest has this phone or e-mail.")) from error
    return guest
