"""The mail that tells people what happened to whatever opens their account."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import due, factor_events, time_zones
from accounts.factors import FactorEvent
from notifications.mail.automatic import try_once
from notifications.mail.letters import Fact, Letter, Link
from notifications.mail.post import Post, send_each


def send_notices(*, limit: int, now: datetime) -> int:
    """Send some of what is due; return how much was tried."""
    claim = partial(factor_events.claim_next, now=now)
    return send_each(claim, _is_done, due.settle, limit=limit)


def _is_done(event: FactorEvent, post: Post) -> bool:
    """Try once; False when it may work later."""
    user = event.user
    if not user.is_active or not user.email:
        return True
    language = user.language or event.language
    return try_once(post, partial(_letter, event), to=user.email, language=language)


def _letter(event: FactorEvent) -> Letter:
    user, what = event.user, event.get_kind_display()
    zone = user.time_zone or "UTC"
    at = date_format(event.at.astimezone(ZoneInfo(zone)), "SHORT_DATETIME_FORMAT")
    is_own = event.actor_id == user.pk
    return Letter(
        subject=_("Your account at Mesto: %(what)s") % {"what": what},
        heading=f"{what}.",
        summary=_("This changes how your account is opened."),
        lines=() if is_own else (_("It wasn’t you who did this, but those who run the site."),),
        facts=(
            Fact(_("Login"), user.username),
            Fact(_("When"), at, time_zones.in_words(zone)),
        ),
        afterwards=(
            _("If this wasn’t you, choose a new password and look at what opens your account."),
        ),
        link=Link(_("See what opens your account"), settings.SITE_URL + reverse("factors")),
        about=_("You get this because it is your account’s address."),
    )
