"""What an API view can rely on, as types."""

from dataclasses import dataclass

from django.http import HttpResponse

from accounts.models import ApiToken, IdempotencyKey, User
from accounts.requests import PageRequest


@dataclass(frozen=True)
class Rate:
    """How much of a limit is used up in this minute; `reset` in seconds."""

    policy: str
    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass
class Claim:
    """This request's hold on its key; `answer` is set if it was carried out before."""

    row: IdempotencyKey
    answer: HttpResponse | None = None
    secret: str = ""  # part of the answer that must not be stored

    @property
    def request_key(self) -> str:
        return f"api:{self.row.code}"


class ProgramRequest(PageRequest):
    """A request under /api/, as `accounts.api.middleware` prepares it."""

    rates: list[Rate]
    claim: Claim | None
    token: ApiToken | None  # that let it in, if one did
    known_parameters: list[str]  # that the operation takes in its URL
    repeatable: set[str]  # of these
    takes_body: bool


class SignedInProgramRequest(ProgramRequest):
    """A request to an operation that needs a token or a session."""

    user: User
