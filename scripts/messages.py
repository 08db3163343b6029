"""Maintain the Russian catalogue: `messages.py extract | compile | check`. Needs only Babel.

extract  writes every message in the code and the templates into the catalogue, keeps what is
         translated, and drops what the code no longer says
compile  makes the .mo files that Django reads
check    fails when messages are missing, untranslated or wrongly translated, and names them
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale/ru/LC_MESSAGES/django.po"
PACKAGES = ("accounts", "bookings", "config", "notifications", "spaces")

# Three forms are enough for whole numbers (1 место, 2 места, 5 мест). Django's own catalogue has a
# fourth, for fractions; Django asks each catalogue by its own rule.
HEADER = r"""# The Russian of Mesto. `make messages` brings it up to what the code says.
msgid ""
msgstr ""
"Language: ru\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
"(n%100<10 || n%100>=20) ? 1 : 2);\n"

"""

_SINGULAR, _PLURAL = (1,), (1, 2)
_IN_CONTEXT, _PLURAL_IN_CONTEXT = ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS = {
    "_": _SINGULAR,
    "gettext": _SINGULAR,
    "gettext_lazy": _SINGULAR,
    "gettext_noop": _SINGULAR,
    "ngettext": _PLURAL,
    "ngettext_lazy": _PLURAL,
    "pgettext": _IN_CONTEXT,
    "pgettext_lazy": _IN_CONTEXT,
    "npgettext": _PLURAL_IN_CONTEXT,
    "npgettext_lazy": _PLURAL_IN_CONTEXT,
}

#: Django's messages to our staff that its own Russian lacks or has in one gender only (6.1).
OF_DJANGO: tuple[str | tuple[str, str], ...] = (
    "- Select an option -",
    "Add another %(verbose_name)s",
    ("…and %(count)d more object.", "…and %(count)d more objects."),
)


def messages_of_code(path: Path) -> Iterator[Message]:
    """Yield the messages of a Python file."""
    for _line, words, _comments, context in extract_from_file("python", path, KEYWORDS):
        yield Message(words, context=context)


# templatize turns each tag into such a call with string literals, and the rest into noise.
_STRING = r"""u?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*({_STRING}(?:,\s*{_STRING})*)")


def messages_of_template(source: str, name: str = "") -> Iterator[Message]:
    """Yield the messages of a template: {% translate %}, {% blocktranslate %} and _("…")."""
    for function, arguments in _CALL.findall(templatize(source, name)):
        words = list(ast.literal_eval(f"({arguments},)"))
        if function == "_":  # Django looks these up with % doubled, as in {% translate %}
            words = [words[0].replace("%", "%%")]
        context = words.pop(0) if "p" in function else None
        yield Message(tuple(words) if len(words) > 1 else words[0], context=context)


def wanted() -> Catalog:
    """Return the messages that the project uses."""
    catalog = Catalog(locale="ru")
    for words in OF_DJANGO:
        catalog.add(words)
    for path in _files("*.py"):
        for message in messages_of_code(path):
            catalog.add(message.id, context=message.context)
    for path in [*_files("*.html"), *_files("*.txt")]:
        if "templates" in path.relative_to(ROOT).parts:
            for message in messages_of_template(path.read_text(), str(path)):
                catalog.add(message.id, context=message.context)
    return catalog


def _files(pattern: str) -> Iterator[Path]:
    for folder in (*PACKAGES, "templates"):
        for path in sorted((ROOT / folder).rglob(pattern)):
            if not {"tests", "migrations"} & set(path.parts):
                yield path


def read(path: Path = CATALOGUE) -> Catalog:
    """Return a catalogue; an empty one where there is no file yet."""
    if not path.exists():
        return Catalog(locale="ru")
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def merge(wanted: Catalog, present: Catalog) -> Catalog:
    """Return the wanted messages with their existing translations."""
    merged = Catalog(locale="ru")
    for message in _in(wanted):
        old = present.get(_singular(message), message.context)
        kept = old if old and bool(old.pluralizable) == bool(message.pluralizable) else None
        merged.add(
            message.id,
            kept.string if kept else ("", "", "") if message.pluralizable else "",
            flags=kept.flags & {"fuzzy"} if kept else (),
            user_comments=kept.user_comments if kept else (),
            context=message.context,
        )
    return merged


def write(catalog: Catalog, path: Path = CATALOGUE) -> None:
    """Write a catalogue, always the same way for the same messages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.encode())
        write_po(file, catalog, width=100, no_location=True, omit_header=True, sort_output=True)


def compile_one(path: Path) -> None:
    """Make the .mo file beside a .po file."""
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, read(path))


def problems(wanted: Catalog, present: Catalog) -> Iterator[str]:
    """Yield what is missing or wrong in the catalogue, one line each."""
    for message in _in(wanted):
        if present.get(_singular(message), message.context) is None:
            yield f"missing: {_name(message)}"
    for message in _in(present):
        if wanted.get(_singular(message), message.context) is None:
            yield f"obsolete: {_name(message)}"
        elif wrong := _wrong(message):
            yield f"{wrong}: {_name(message)}"
    for message in present.obsolete.values():
        yield f"obsolete: {_name(message)}"


def _wrong(message: Message) -> str:
    """Return what is wrong with a translation; empty when nothing is."""
    texts = _strings(message.string)
    if message.fuzzy:
        return "fuzzy"
    if not all(texts):
        return "untranslated"
    if len(texts) != (3 if message.pluralizable else 1):
        return "wrong number of plural forms"
    placeholders = {name for text in _strings(message.id) for name in _placeholders(text)}
    if any(set(_placeholders(text)) != placeholders for text in texts):
        return "other placeholders"
    if any(_STRAIGHT.search(text) for text in (*_strings(message.id), *texts)):
        return "an apostrophe that isn’t ’"
    return ""


# An apostrophe as it is typed, inside a word or after a plural: “can't”, “members' rules”.
_STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])|(?<=[a-z]s)'(?= )")

# %(name)s and {name}; %s; a doubled %% or {{ is the sign itself.
_PLACEHOLDER = re.compile(r"%%|\{\{|%\(\w+\)[a-z]|%[sdif]|\{\w*[^{}]*\}")


def _placeholders(text: str) -> list[str]:
    return _PLACEHOLDER.findall(text)


def _in(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _singular(message: Message) -> str:
    return _strings(message.id)[0]


def _strings(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [""])


def _name(message: Message) -> str:
    context = f" (context {message.context})" if message.context else ""
    return f"{_singular(message)!r}{context}"


def extract() -> int:
    """Update the catalogue from the code, and say what is left to translate."""
    present = read()
    merged = merge(wanted(), present)
    for message in _in(present):
        if merged.get(_singular(message), message.context) is None:
            print(f"dropped: {_name(message)}")
    write(merged)
    for problem in problems(merged, merged):
        print(problem)
    return 0


def compile_all() -> int:
    """Make the .mo file beside each .po file."""
    for path in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        compile_one(path)
    return 0


def check() -> int:
    """Print every problem in the catalogue; return 1 if there are any."""
    found = list(problems(wanted(), read()))
    if found:
        print(*found, sep="\n")
        print(
            f"{len(found)} in {CATALOGUE.relative_to(ROOT)}; `make messages` adds and drops them."
        )
    return 1 if found else 0


if __name__ == "__main__":
    commands = {"extract": extract, "compile": compile_all, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]]())
