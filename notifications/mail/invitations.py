"""The letter with an invitation's link."""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import due, invitations
from accounts.joining import Invitation
from notifications.mail.automatic import try_once
from notifications.mail.letters import Fact, Letter, Link
from notifications.mail.post import Post, send_each

Role = Invitation.Role


def send_invitations(*, limit: int, now: datetime) -> int:
    """Send some of the due invitations; return how many were tried."""
    return send_each(partial(invitations.claim_next, now=now), _is_done, due.settle, limit=limit)


def _is_done(invitation: Invitation, post: Post) -> bool:
    """Try once; False when it may work later."""
    write, to = partial(_letter, invitation), invitation.email
    return try_once(post, write, to=to, language=invitation.language)


def _letter(invitation: Invitation) -> Letter:
    assert invitation.space is not None
    named = {"space": invitation.space.name}
    url = settings.SITE_URL + reverse("join", args=[invitations.key_of(invitation)])
    if invitation.role == Role.MEMBER:
        subject = _("You are invited to %(space)s") % named
        facts = (Fact(_("As"), str(invitation.tier)),)
    else:
        subject = _("Join the staff of %(space)s") % named
        facts = (Fact(_("As"), invitation.get_role_display()),)
    return Letter(
        subject=subject,
        heading=subject,
        summary=_("The link works once, and for seven days."),
        facts=facts,
        afterwards=(
            _("You choose login and password yourself, or sign in if you have an account."),
            _("The link works once, and for seven days."),
        ),
        link=Link(_("Open the invitation"), url),
        about=_("The staff of %(space)s entered your address. If you don’t know them, do nothing.")
        % named,
    )
