"""How to reach a space's staff: the one place for every "ask the staff"."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from django.utils.translation import gettext as _

from spaces.models import Space
from spaces.validators import PHONE

#: More than this is too many to list; people find the contact on the space's board.
MOST = 6


def ask_the_staff(space: Space) -> str:
    """Return the sentence, with phone and e-mail if the space has them."""
    if not space.contacts:
        return _("Please ask the staff.")
    return _("Please ask the staff: %(contacts)s") % {"contacts": ", ".join(space.contacts)}


def links(space: Space) -> Iterator[tuple[str, str]]:
    """Yield each way to reach the staff: the URL for a link, and its text."""
    if space.phone:
        yield _tel(space.phone), space.phone
    if space.email:
        yield "mailto:" + quote(space.email, safe="@+"), space.email


def _tel(phone: str) -> str:
    """Write a number as a URI (RFC 3966)."""
    found = PHONE.fullmatch(phone)
    number = re.sub("[^0-9+]", "", found["number"] if found else phone)
    extension = f";ext={found['extension']}" if found and found["extension"] else ""
    return f"tel:{number}{extension}"


def reachable_spaces() -> list[Space]:
    """Return the spaces with contact details; none when there are too many to list."""
    found = list(Space.objects.open_to_members().reachable().by_name()[: MOST + 1])
    return found if len(found) <= MOST else []
