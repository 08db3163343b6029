"""A space's phone and e-mail in pages, as links."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from spaces import contact as contacts
from spaces.models import Space

#: More than this is too many to list; people find the contact on the space's board.
MOST = 6

register = template.Library()


@register.simple_tag
def contact(space: Space) -> SafeString:
    """Write phone and e-mail as links; nothing for a space without either."""
    link = '<a class="whole" href="{}">{}</a>'
    return format_html_join(", ", link, contacts.links(space))


@register.simple_tag
def ask_the_staff(space: Space) -> SafeString:
    """Write «Please ask the staff: …». `spaces.contact` does the same in plain text."""
    if not space.contacts:
        return format_html("{}", _("Please ask the staff."))
    sentence = _("Please ask the staff: %(contacts)s")
    before, after = sentence.split("%(contacts)s")
    return format_html("{}{}{}", before, contact(space), after)


@register.simple_tag
def reachable_spaces() -> list[Space]:
    """Return the spaces with contact details; none when there are too many to list."""
    found = list(Space.objects.open_to_members().reachable().by_name()[: MOST + 1])
    return found if len(found) <= MOST else []
