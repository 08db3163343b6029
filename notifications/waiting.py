"""What parties at a restaurant's door have to be told, and whether it is still true.

Written as letters in `notifications.mail.waiting`, as texts in `notifications.sms.waiting`.
"""

from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings

from bookings.deciding import waiting_links
from bookings.models import WaitingNews
from bookings.waiting import PartyState
from bookings.words import rules_in_words, words

#: How long after a failed try the next one follows. Nobody waits at a door for long.
RETRY = timedelta(seconds=20)
#: What is older is no news.
GIVE_UP = timedelta(minutes=15)

Way = Literal["mail_due_at", "text_due_at"]


def claim_next(way: Way, *, now: datetime) -> WaitingNews | None:
    """Claim what is due to be told; nobody else sends it unless we fail to settle it in time.

    What isn't true any more is never sent.
    """
    due = WaitingNews.objects.filter(**{f"{way}__lte": now})
    for news in due.select_related("party__space", "party__booking__place").order_by(way, "pk"):
        until = now + RETRY if _is_still_news(news, now) else None
        held = WaitingNews.objects.filter(pk=news.pk, **{way: getattr(news, way)})
        if held.update(**{way: until}) == 1 and until is not None:
            setattr(news, way, until)
            return news
    return None


def settle(news: WaitingNews, way: Way) -> None:
    """Record that it was sent, or never will be."""
    WaitingNews.objects.filter(pk=news.pk, **{way: getattr(news, way)}).update(**{way: None})


def _is_still_news(news: WaitingNews, now: datetime) -> bool:
    party = news.party
    if news.created_at <= now - GIVE_UP:
        return False
    if news.kind != WaitingNews.Kind.READY:
        return party.state == PartyState.WAITING
    hold = party.booking
    is_held = hold is not None and hold.hold_expires_at is not None and hold.hold_expires_at > now
    return party.state == PartyState.TOLD and is_held


def url_of(news: WaitingNews) -> str:
    """Return the address of the party's page; made anew if it was revoked."""
    return f"{settings.SITE_URL}{waiting_links.path_of(news.party)}"


def named(news: WaitingNews) -> dict[str, str]:
    """Return what the sentences of a letter or a text name."""
    hold, space = news.party.booking, news.party.space
    until = hold.hold_expires_at if hold is not None else None
    return {
        "space": space.name,
        "place": str(hold.place) if hold is not None else "",
        "time": words.clock(until, space.zone) if until else "",
        "wait": rules_in_words.length(news.party.quoted_minutes or 0),
    }
