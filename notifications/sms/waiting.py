"""Text messages to parties at a restaurant's door."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import watching
from bookings.deciding.knowing import dialled
from bookings.models import WaitingNews
from notifications.outcomes import Again
from notifications.sms.port import Provider
from notifications.waiting import claim_next, named, settle, url_of

logger = logging.getLogger("mesto.sms")


def text_the_door(via: Provider, *, limit: int, now: datetime) -> int:
    """Send some of the texts that are due to parties at a door; return how many were tried."""
    done = 0
    while done < limit and (news := claim_next("text_due_at", now=now)):
        done += 1
        with watching.caused_by(news.request_id):
            if _is_done(news, via):
                settle(news, "text_due_at")
    return done


def _is_done(news: WaitingNews, via: Provider) -> bool:
    """Try once; False when it may work later."""
    to = dialled(news.party.phone, news.party.space)
    if not to:  # no number that can be dialled from everywhere
        return True
    try:
        with translation.override(news.party.language or settings.LANGUAGE_CODE):
            text = f"{_sentence(news) % named(news)} {url_of(news)}"
        outcome = via.send(to, text)
    except Exception:  # one that can't be written must not stop the others
        logger.exception("a text message to a party at the door can't be written")
        return True
    return not isinstance(outcome, Again)


def _sentence(news: WaitingNews) -> str:
    if news.kind == WaitingNews.Kind.READY:
        return _("%(space)s: %(place)s is ready, held until %(time)s. Yes or no:")
    if news.kind == WaitingNews.Kind.MISSED:
        return _("%(space)s: somebody else was quicker. You keep your place in the list:")
    if news.party.quoted_minutes:
        return _("%(space)s: you are on the list, about %(wait)s:")
    return _("%(space)s: you are on the list:")
