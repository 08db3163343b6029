"""Logins that readers confuse with one another, after Unicode Technical Standard #39.

`mеmber` with a Cyrillic е is a different login from `member`, but nobody can see it. Logins' looks
are compared by skeleton: every letter is replaced by the plainest one that looks like it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from unicodedata import decimal, normalize

#: Some language mixes these scripts (UTS #39, 5.2, "highly restrictive").
WRITTEN_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)


def skeleton(login: str) -> str:
    """Return what a login in its stored form looks like (UTS #39, 4).

    Logins are shown in lower case, so a 0, which is O there, is an o here.
    """
    plainest = _tables()[0]
    plain = "".join(plainest.get(letter, letter) for letter in normalize("NFD", login))
    return normalize("NFD", plain.casefold())


def look(login: str) -> str:
    """Hash a login's skeleton: the length is fixed, however much the letters expand."""
    return sha256(skeleton(login).encode(errors="replace")).hexdigest()[:32]


def mixes_scripts(login: str) -> bool:
    """Tell whether a login mixes letters or digits from scripts that no language mixes."""
    scripts = {_script(letter) for letter in login} - {""}
    together = len(scripts) < 2 or any(scripts <= allowed for allowed in WRITTEN_TOGETHER)
    return not together or len(set(_zeros(login))) > 1


def _zeros(login: str) -> Iterable[int]:
    """Return the zero of each digit's numbering system (UTS #39, 5.3)."""
    for letter in login:
        value = decimal(letter, None)
        if value is not None:
            yield ord(letter) - value


def _script(letter: str) -> str:
    _plain, starts, ranges = _tables()
    found = bisect_right(starts, ord(letter)) - 1
    if found < 0:
        return ""
    last, script = ranges[found]
    return script if ord(letter) <= last else ""


@cache
def _tables() -> tuple[dict[str, str], list[int], list[tuple[int, str]]]:
    """Read what letters look like, where each range of a script starts, and where it ends."""
    plainest, starts, ranges = {}, [], []
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="ascii").splitlines():
        match line.split():
            case [letter, "=", *prototype]:
                plainest[_letter(letter)] = "".join(map(_letter, prototype))
            case [first, "-", last, script]:
                starts.append(int(first, 16))
                ranges.append((int(last, 16), script))
    return plainest, starts, ranges


def _letter(code: str) -> str:
    return chr(int(code, 16))
