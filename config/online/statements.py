"""Read as much of a statement as it takes to tell whether it may touch every row of a table."""

import re

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_NAME = r'(?:"?\w+"?\.)?"?(\w+)"?'
_WRITES = re.compile(
    rf"\b(?:UPDATE\s+(?:ONLY\s+)?{_NAME}\s+(?:AS\s+)?\S*?\s*SET\b"
    rf"|DELETE\s+FROM\s+(?:ONLY\s+)?{_NAME}|MERGE\s+INTO\s+{_NAME})",
    re.IGNORECASE,
)
_READS = re.compile(rf"\b(?:FROM|JOIN|USING)\s+(?:ONLY\s+)?{_NAME}", re.IGNORECASE)
_INSERTS = re.compile(r"\bINSERT\s+INTO\b", re.IGNORECASE)
_LIMIT = re.compile(r"\b(?:LIMIT\s+(\d+|%s|\$\d+)|FETCH\s+FIRST)", re.IGNORECASE)
_AGGREGATE = re.compile(r"^\s*SELECT\s+(?:COUNT|MIN|MAX|SUM|AVG)\s*\(", re.IGNORECASE)
_VALUE = r"\(?\s*(?:%|\$\d|\d|''|ANY\s*\(\s*(?:%|ARRAY\[|''))"

FEW = 21  # rows: what `get` asks for, to see whether there are several


def plain(sql: str) -> str:
    """Return a statement without comments and with empty strings."""
    return _TEXT.sub("''", _COMMENT.sub(" ", sql)).strip()


def split(sql: str) -> list[str]:
    """Return the statements of a text, those of a function's body too."""
    return [part for part in plain(sql).split(";") if part.strip()]


def first_word(sql: str) -> str:
    return plain(sql).split(maxsplit=1)[0].upper() if plain(sql) else ""


def written(sql: str) -> set[str]:
    """Return the tables whose rows it changes or deletes."""
    return {name for found in _WRITES.findall(plain(sql)) for name in found if name}


def read(sql: str) -> set[str]:
    """Return the tables whose rows it reads; for one that writes, also those it writes to."""
    return set(_READS.findall(plain(sql)))


def inserts_what_it_reads(sql: str) -> bool:
    text = plain(sql)
    return bool(_INSERTS.search(text) and re.search(r"\bSELECT\b", text, re.IGNORECASE))


def is_aggregate(sql: str) -> bool:
    return bool(_AGGREGATE.match(plain(sql)))


def limit(sql: str) -> int | None:
    """Return how many rows it asks for at most: FEW + 1 if it doesn't say it in a number."""
    found = [each or "%s" for each in _LIMIT.findall(plain(sql))]
    if not found:
        return None
    return min(int(each) if each.isdigit() else FEW + 1 for each in found)


def is_bounded(sql: str, keys: set[str]) -> bool:
    """Tell whether it names the rows: a limit, or a key that is compared from both sides."""
    if limit(sql) is not None:
        return True
    _, _, condition = re.sub(r"\s+", " ", plain(sql)).upper().partition(" WHERE ")
    for key in keys:
        name = rf'(?:"?\w+"?\.)?"?\b{re.escape(key.upper())}"?\s*'
        if re.search(rf"{name}(?:=\s*{_VALUE}|BETWEEN\b|IN\s*\((?!\s*SELECT))", condition):
            return True
        if re.search(rf"{name}>", condition) and re.search(rf"{name}<(?!>)", condition):
            return True
    return False


def runs_concurrently(sql: str) -> bool:
    """Tell whether a statement that can't run in a transaction lets others go on."""
    words = set(re.findall(r"\w+", plain(sql).upper()))
    if first_word(sql) == "VACUUM":
        return "FULL" not in words
    return "CONCURRENTLY" in words or first_word(sql) in ("ANALYZE", "CHECKPOINT", "DISCARD")
