"""Letters about a member's address: the confirmation link, and the notice to the old one."""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import emails
from accounts.models import EmailLetter
from notifications.mail.automatic import try_once
from notifications.mail.letters import Fact, Letter, Link
from notifications.mail.post import Post, send_each
from spaces.contact import reachable_spaces

About = EmailLetter.About


def send_letters(*, limit: int, now: datetime) -> int:
    """Send some of the due letters; return how many were tried."""
    return send_each(partial(emails.claim_next, now=now), _is_done, emails.finish, limit=limit)


def _is_done(letter: EmailLetter, post: Post) -> bool:
    """Try once; False when it may work later."""
    if emails.is_needless(letter):
        return True
    language = letter.user.language or letter.language
    return try_once(post, partial(_letter, letter), to=letter.to, language=language)


def _letter(letter: EmailLetter) -> Letter:
    login = Fact(_("Login"), letter.user.username)
    if letter.about == About.CONFIRM:
        key = emails.key_of(letter.user, letter.to)
        url = settings.SITE_URL + reverse("confirm_email", args=[key])
        return Letter(
            subject=_("Confirm your address for Mesto"),
            heading=_("Is this your address?"),
            summary=_("Follow the link to confirm it."),
            facts=(login,),
            afterwards=(
                _("Reminders of your bookings start once it is confirmed."),
                _("The link is valid for three days."),
            ),
            link=Link(_("Confirm the address"), url),
            about=_("Somebody entered this address at Mesto. If it wasn’t you, do nothing."),
        )
    new = Fact(_("New address"), letter.other or _("none"))
    password = Link(_("Choose a new password"), settings.SITE_URL + reverse("password"))
    if letter.about == About.CHANGING:
        return Letter(
            subject=_("Your e-mail address at Mesto is about to change"),
            heading=_("Your e-mail address is about to change."),
            summary=_("Until the new one is confirmed, Mesto keeps writing to you here."),
            facts=(login, new),
            afterwards=(
                _(
                    "If this wasn’t you, somebody knows your password. "
                    "Choosing a new one stops the change."
                ),
            ),
            link=password,
            about=_("You get this because it is your account’s address."),
        )
    return Letter(
        subject=_("Your e-mail address at Mesto has changed"),
        heading=_("Your e-mail address has changed."),
        summary=_("Mesto no longer writes to you here."),
        facts=(login, new),
        afterwards=(_("If this wasn’t you, choose a new password."), *_helpers()),
        link=password,
        about=_("You get this because it was your account’s address."),
    )


def _helpers() -> list[str]:
    """Say who helps when somebody else has the account, and how they are reached."""
    spaces = reachable_spaces()
    if not spaces:
        return [_("If you can’t sign in any more, the staff of your space can help.")]
    named = [f"{space.name}: {', '.join(space.contacts)}" for space in spaces]
    return [_("If you can’t sign in any more, the staff can help:"), *named]
