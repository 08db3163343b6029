"""Names in the environment that look like a setting of ours and are none: likely a slip."""

from collections.abc import Iterable, Iterator, Mapping

OURS = "MESTO_"
SHORTEST = 5  # letters: below, everything resembles everything
LONG = 9  # letters: from here on, two slips are one name still


def misspelt(environ: Iterable[str], declared: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each name that is likely a slip, with the setting that was likely meant, or "".

    A name beside the one it resembles is somebody else's: they aren't the same setting twice.
    """
    given = set(environ)
    for name in sorted(given - set(declared)):
        meant = next((each for each in declared if _resembles(name, each)), "")
        if (meant and meant not in given) or (not meant and name.startswith(OURS)):
            yield name, meant


def _resembles(name: str, declared: str) -> bool:
    name = name.upper().replace("-", "_").removeprefix(OURS)
    if len(name) < SHORTEST:
        return False
    if name == declared or _words(name) == _words(declared):
        return True
    if _is_most_of(_words(name), _words(declared)):
        return True
    return slips(name, declared) <= (2 if len(declared) >= LONG else 1)


def _words(name: str) -> list[str]:
    return sorted(word.removesuffix("S") for word in name.split("_") if word)


def _is_most_of(some: list[str], every: list[str]) -> bool:
    """Say whether a word is missing, as in KAFKA_SERVERS; API_TOKEN is anybody's."""
    return set(some) < set(every) and len(some) >= 2 and 3 * len(some) >= 2 * len(every)


def slips(one: str, other: str) -> int:
    """Count the letters to add, drop, change or swap with their neighbour (Damerau, 1964)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, wanted in enumerate(other, start=1):
            best = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and (letter, one[row - 2]) == (other[column - 2], wanted):
                best = min(best, before[column - 2] + 1)
            line.append(best)
        before, above = above, line
    return above[-1]
