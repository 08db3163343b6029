"""One act, asked again with the same key until it is answered: tries, pauses, patience."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from time import sleep

import httpx

from chaos.history import Try

#: Seconds. A node that hangs costs one of these; whoever waits longer asks somebody else.
TIMEOUT = httpx.Timeout(10, connect=3)
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 3.0  # seconds between tries, where nobody says how long
#: Says up to which moment an answer is complete; without it, it is of now.
AS_OF = "Data-As-Of"
#: No answer lets anybody wait longer: limits are counted by the minute.
LONGEST_RETRY_AFTER = 60.0


@dataclass(frozen=True)
class Said:
    """What an answer came to; `told` as in history.Act."""

    told: str
    code: str = ""
    own: list[str] = field(default_factory=list)
    text: str = ""


class Again(Exception):
    """There was no answer, or one that says to ask again.

    `known` is what a part of the answer has said already, such as a redirect to the booking.
    """

    def __init__(
        self, status: int, error: str, after: float | None = None, known: Said | None = None
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.after, self.known = status, error, after, known


class Client:
    """One person's connections to the site: kept open while they work, replaced when they don't."""

    def __init__(self, site: str, headers: dict[str, str] | None = None) -> None:
        self.status = 0  # of the last answer
        self.as_of = ""  # "as of …", if the last answer was read from a replica
        self._http = httpx.Client(
            base_url=site,
            headers=headers or {},
            timeout=TIMEOUT,
            trust_env=False,  # no proxy is between us
            verify=False,  # nothing speaks TLS; loading certificates takes longer than a request
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        may_be_old: bool = False,
        known: Said | None = None,
        **content: object,
    ) -> httpx.Response:
        """Send a request; raise Again unless somebody answered it.

        What a replica says, while there is no primary, is an answer only if it `may_be_old`; and
        never that something is missing: the replica may yet hear of it.
        """
        self.status, self.as_of = 0, ""
        try:
            answer = self._http.request(method, path, **content)  # type: ignore[arg-type]  # httpx's own keywords
        except httpx.HTTPError as error:
            raise Again(0, f"{type(error).__name__}: {error}", known=known) from error
        self.status = answer.status_code
        if self.status == 429 or self.status >= 500:
            text = f"{method} {path}: {_first_words(answer)}"
            raise Again(self.status, text, retry_after(answer), known)
        if AS_OF in answer.headers:
            self.as_of = f"as of {answer.headers[AS_OF]}"
            if not may_be_old or self.status != 200:
                raise Again(self.status, self.as_of, known=known)
        return answer

    @property
    def cookies(self) -> httpx.Cookies:
        return self._http.cookies

    def close(self) -> None:
        self._http.close()


def _first_words(answer: httpx.Response) -> str:
    return " ".join(answer.text[:300].split())


def retry_after(answer: httpx.Response) -> float | None:
    """Return how many seconds an answer asks to wait, if it does."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_RETRY_AFTER) if text.isdigit() else None


def persist(client: Client, once: Callable[[], Said], patience: float) -> tuple[list[Try], Said]:
    """Do something until it is answered, or for so many seconds; return every try.

    In the latter case what is returned is what is known in spite of it, or Said("").
    """
    tries: list[Try] = []
    known = Said("")
    end, pause = time.monotonic() + patience, FIRST_PAUSE
    while True:
        at, began = time.time(), time.monotonic()
        try:
            said = once()
        except Again as again:
            tries.append(Try(at, time.monotonic() - began, again.status, again.error))
            known = again.known or known
            # Not all at the same moment.
            wait = max(pause, again.after or 0) * random.uniform(1, 1.2)
            pause = min(2 * pause, LONGEST_PAUSE)
            if time.monotonic() + wait > end:
                return tries, known
            sleep(wait)
        else:
            tries.append(Try(at, time.monotonic() - began, client.status))
            return tries, said
