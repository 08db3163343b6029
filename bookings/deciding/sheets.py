"""Spreadsheet files, read into rows, whichever program, system and language wrote them."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

#: Byte order marks, which name a file's encoding. Longer ones first.
MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
#: The first bytes of files that aren't text at all.
WORKBOOKS = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"]

#: Excel's way of naming the separator in the first line: `sep=;`.
SEPARATOR = re.compile(r'"?sep=([^"\w\s]|\t)"?[\s;,"]*', re.IGNORECASE)
#: Without it, the first of these in the line with the column names.
SEPARATORS = "\t;,|"


class FileError(ValueError):
    """The file as a whole can't be read; the text says where, and what to do about it."""


def rows(content: bytes, *, encoding: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of the line on which it starts, skipping blank ones.

    Values are stripped. Raises FileError.
    """
    # As a file, because that ends lines at CR, LF and CRLF, and nothing else.
    lines = list(io.StringIO(_text(content, encoding).lstrip("\ufeff"), newline=""))
    separator = ""
    skipped = 0
    for line in lines:
        if found := SEPARATOR.fullmatch(line):
            separator = found[1]
        elif line.strip(SEPARATORS + ' "\r\n'):
            separator = separator or next((one for one in SEPARATORS if one in line), ",")
            break
        skipped += 1
    read = csv.reader(
        lines[skipped:], delimiter=separator or ",", skipinitialspace=True, strict=True
    )
    while True:
        number = skipped + read.line_num + 1
        try:
            cells = [_plain(cell) for cell in next(read)]
        except StopIteration:
            return
        except csv.Error as error:
            message = _("Line %(number)d can’t be read: %(advice)s")
            named = {"number": number, "advice": _advice(str(error))}
            raise FileError(message % named) from error
        if any(cells):
            yield number, cells


def _plain(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


def _advice(fault: str) -> str:
    if "end of data" in fault or "limit" in fault:
        return _('a quote (") opens there and never closes. Close it, or remove it.')
    if "expected after" in fault:
        return _('write a quote (") inside a value twice, and put the value in quotes.')
    return f"{fault}."


def likely_encoding(content: bytes) -> str:
    """Guess the old encoding of a file that isn't UTF-8, for somebody who sees what comes of it."""
    return "cp1251" if re.search(rb"[\xc0-\xff]{3}", content) else "cp1252"


def _text(content: bytes, encoding: str | None) -> str:
    if any(content.startswith(beginning) for beginning in WORKBOOKS):
        raise FileError(
            _(
                "This is a workbook, not a text file. In the spreadsheet, choose “Save as” (or "
                "“Export”, “Download”) and then CSV."
            )
        )
    for mark, found in MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], found, encoding)
    return _decoded(content, _of_two_bytes(content) or encoding or "utf-8", encoding)


def _of_two_bytes(content: bytes) -> str | None:
    """Recognise UTF-16 without a mark: one byte of each letter in the column names is zero."""
    return {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get(
        (content[:1] == b"\0", content[1:2] == b"\0")
    )


def _decoded(content: bytes, encoding: str, asked_for: str | None) -> str:
    if encoding == asked_for and not content.isascii() and _is_utf_8(content):
        return content.decode()  # text in another encoding isn't valid UTF-8 by chance
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "ignore")
        number = before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        raise FileError(f"Line {number} is not {encoding}. {_remedy(content, encoding)}") from error
    except (UnicodeError, LookupError) as error:
        raise FileError(f"{encoding} is not a text encoding. {_remedy(content, '')}") from error


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _remedy(content: bytes, tried: str) -> str:
    """Say which encodings it may be in. Cyrillic words are runs of bytes that others use singly."""
    if tried.startswith(("utf-16", "utf-32")):
        return "It may have been cut off. Save it again, as “CSV UTF-8” if you can."
    is_cyrillic = re.search(rb"[\xc0-\xff]{3}", content) is not None
    likely = ["cp1251 (Cyrillic)", "cp1252 (Western European)"]
    others = [name for name in likely if not name.startswith(tried or "none")]
    asked = " or ".join(f"--encoding={name}" for name in sorted(others, reverse=not is_cyrillic))
    return f"Try {asked}, or save it again as “CSV UTF-8”."
