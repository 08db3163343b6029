"""Letters to parties at a restaurant's door."""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.utils.translation import gettext as _

from bookings.models import WaitingNews
from notifications.mail.automatic import try_once
from notifications.mail.letters import Fact, Letter, Link
from notifications.mail.post import Post, send_each
from notifications.waiting import claim_next, named, settle, url_of


def send_to_the_door(*, limit: int, now: datetime) -> int:
    """Send some of the letters that are due to parties at a door; return how many were tried."""
    claim, done = partial(claim_next, "mail_due_at", now=now), partial(settle, way="mail_due_at")
    return send_each(claim, _is_done, done, limit=limit)


def _is_done(news: WaitingNews, post: Post) -> bool:
    """Try once; False when it may work later."""
    language = news.party.language or settings.LANGUAGE_CODE
    return try_once(post, partial(_letter, news), to=news.party.email, language=language)


def _letter(news: WaitingNews) -> Letter:
    said = named(news)
    subject, line, button = _words(news)
    party = news.party
    facts = [
        Fact(_("Where"), party.space.name, party.space.address),
        Fact(_("People"), str(party.party_size)),
    ]
    if party.space.contacts:
        facts.append(Fact(_("Contact"), ", ".join(party.space.contacts)))
    return Letter(
        subject=subject % said,
        heading=subject % said,
        summary=line % said,
        lines=(line % said,),
        facts=tuple(facts),
        link=Link(button, url_of(news)),
        about=_("You gave %(space)s this address while you waited for a table.") % said,
    )


def _words(news: WaitingNews) -> tuple[str, str, str]:
    """Return the subject, the one line, and what the link is called."""
    if news.kind == WaitingNews.Kind.READY:
        return (
            _("%(place)s is ready: %(space)s"),
            _("It is held until %(time)s. Whoever of those we told says yes first gets it."),
            _("Yes or no"),
        )
    if news.kind == WaitingNews.Kind.MISSED:
        return (
            _("You still wait at %(space)s"),
            _("Somebody else was a little quicker. You keep your place in the list."),
            _("See my place in the list"),
        )
    wait = _("It takes about %(wait)s. We write to you when a table is ready.")
    if not news.party.quoted_minutes:
        wait = _("We write to you when a table is ready.")
    return _("You are on the list at %(space)s"), wait, _("See my place in the list")
