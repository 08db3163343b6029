"""A space's phone and e-mail in pages, as links."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from spaces import contact as contacts
from spaces.models import Space

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


register.simple_tag(contacts.reachable_spaces)
