"""Recovery codes: ten, each of which opens the account once. Shown once; we keep their hashes."""

from datetime import datetime
from hashlib import sha256
from secrets import choice

from accounts.factors import RecoveryCode
from accounts.models import User

MANY = 10
#: Without letters and digits that look alike. 16 of them are 80 random bits, too many to guess even
#: from the hash; so a plain hash reveals nothing.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
LENGTH = 16


def new() -> list[str]:
    return [_written("".join(choice(LETTERS) for _i in range(LENGTH))) for _n in range(MANY)]


def _written(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, LENGTH, 4))


def replace(user: User) -> list[str]:
    """Make new codes; the old ones, used or not, are worth nothing any more."""
    made = new()
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, digest=digest(code)) for code in made]
    )
    return made


def use(user: User, text: str, *, now: datetime) -> bool:
    """Tell whether this is one of the person's unused codes; it works this once.

    Of two who use one at the same time, one gets in.
    """
    unused = RecoveryCode.objects.filter(user=user, digest=digest(text), used_at=None)
    return unused.update(used_at=now) == 1


def left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def digest(text: str) -> str:
    plain = "".join(letter for letter in text.lower() if letter.isalnum())
    return sha256(plain.encode(errors="replace")).hexdigest()
