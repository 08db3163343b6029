"""The link for choosing a new password after forgetting the old one."""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import due, passwords
from accounts.models import PasswordRequest, User
from notifications.mail.automatic import try_once
from notifications.mail.letters import Fact, Letter, Link
from notifications.mail.post import Post, send_each

#: How many requests are looked up in one go. In a flood, most match nobody.
QUESTIONS = 200


def send_links(*, limit: int, now: datetime) -> int:
    """Send some of the requested links; return how many were tried."""
    for _question in range(QUESTIONS):
        if not passwords.look_up(now=now):
            break
    return send_each(partial(passwords.claim_next, now=now), _is_done, due.settle, limit=limit)


def _is_done(request: PasswordRequest, post: Post) -> bool:
    """Try once; False when it may work later."""
    user = request.user
    if not (user.is_active and user.email):
        return True
    language = user.language or request.language
    return try_once(post, partial(_letter, user), to=user.email, language=language)


def _letter(user: User) -> Letter:
    url = settings.SITE_URL + reverse("new_password", args=[passwords.key_of(user)])
    return Letter(
        subject=_("A new password for Mesto"),
        heading=_("Choose a new password."),
        summary=_("The link works once, and for two hours."),
        facts=(Fact(_("Login"), user.username),),
        afterwards=(_("The link works once, and for two hours."),),
        link=Link(_("Choose a new password"), url),
        about=_(
            "Somebody asked for it at Mesto. If that wasn’t you, do nothing: everything "
            "stays as it is."
        ),
    )
