"""What a row of the staff's day needs."""

from urllib.parse import quote

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings.deciding.knowing import contacts

register = template.Library()


@register.filter
def reach(contact: str) -> SafeString:
    """Write a guest's contact as a link that calls or mails, if it is a number or an address."""
    phone, email = contacts(contact)
    if phone:
        number = "".join(letter for letter in phone if letter in "+0123456789")
        return format_html('<a class="whole" href="tel:{}">{}</a>', number, contact)
    if email:
        return format_html('<a href="mailto:{}">{}</a>', quote(email, safe="@+"), contact)
    return format_html("{}", contact)
