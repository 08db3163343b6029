"""What can go wrong with a webhook, in one sentence for a manager.

A delivery stores the sentence in English, because readers' languages differ; `in_words` says it
in the reader's.
"""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# %s stands for what differs from case to case.
INSIDE = gettext_noop(
    "Refused: this address leads into a private network (%s). "
    "A webhook needs an address on the public internet."
)
ADDRESS = gettext_noop("Refused: this is not a plain address such as https://example.com/mesto.")
LOGIN = gettext_noop("Refused: a login or an @ before the host can’t be part of the address.")
PORT = gettext_noop("Refused: what follows the host is not a port.")
HOST = gettext_noop("Refused: the address names no host.")
HTTPS = gettext_noop("Refused: the address must begin with https://.")
NO_NAME = gettext_noop("The name %s leads nowhere: it has no address.")
NO_CONNECTION = gettext_noop("No connection to %s.")
NO_TRUST = gettext_noop("The certificate of %s can’t be trusted.")
NO_TLS = gettext_noop("No secure connection to %s.")
TOO_LATE = gettext_noop("No complete answer within %s seconds.")
HUNG_UP = gettext_noop("The connection was closed before the answer was complete.")
NO_HTTP = gettext_noop("The answer is not HTTP.")
REDIRECT = gettext_noop("Answered with a redirect (%s), and redirects are not followed.")
GONE = gettext_noop("Answered %s: it doesn’t want any more, so the webhook was switched off.")
ANSWERED = gettext_noop("Answered %s.")
FAILED = gettext_noop("Mesto itself failed to send it.")

SENTENCES = (
    *(INSIDE, ADDRESS, LOGIN, PORT, HOST, HTTPS, NO_NAME, NO_CONNECTION, NO_TRUST, NO_TLS),
    *(TOO_LATE, HUNG_UP, NO_HTTP, REDIRECT, GONE, ANSWERED, FAILED),
)


#: Each sentence as it may have been stored: filled in, and cut off at the end.
_PATTERNS = {
    sentence: re.compile(re.escape(sentence).replace("%s", "(.*?)"), re.DOTALL)
    for sentence in SENTENCES
}


def in_words(kept: str) -> str:
    """Translate a stored English sentence into the reader's language; leave others alone."""
    for sentence, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(kept):
            return _(sentence) % found.groups() if found.groups() else _(sentence)
    return kept
