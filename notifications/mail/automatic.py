"""Letters about accounts and to the door: each is a row until a worker has sent it."""

import logging
from collections.abc import Callable

from django.utils import translation

from notifications.mail.composing import written
from notifications.mail.headers import AUTOMATIC
from notifications.mail.letters import Letter
from notifications.mail.post import Post
from notifications.outcomes import Again

logger = logging.getLogger("mesto.mail")


def try_once(post: Post, letter: Callable[[], Letter], *, to: str, language: str) -> bool:
    """Write a letter in a language and hand it over; False when that may work later."""
    try:
        with translation.override(language):
            mail = written(letter(), to=to, headers=AUTOMATIC)
        outcome = post.send(mail)
    except Exception:  # one mail that can't be written must not stop the others
        logger.exception("a letter can't be written")
        return True
    return not isinstance(outcome, Again)
