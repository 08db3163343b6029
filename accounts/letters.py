"""Names that can be seen: of people, spaces, places and guests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from unicodedata import category

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

#: Letters and symbols that are drawn as nothing: fillers of Hangul, the blank of Braille.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")

#: Controls, formats, halves of a character; blanks and line ends; marks that sit on another letter.
UNSEEN = frozenset(["Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"])


#: What turns the text around it, and lets one name look like another: embeddings, overrides and
#: isolates of Unicode's bidirectional algorithm. Letters of any script need none of them.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_visible(text: str) -> bool:
    """Tell whether a reader sees anything of a text."""
    return any(category(letter) not in UNSEEN and letter not in BLANK for letter in text)


def turns(text: str) -> bool:
    """Tell whether a text has a mark that nobody sees, and that turns what is around it."""
    return not TURNING.isdisjoint(text)


#: What to do about it.
TURNED = _("There is an invisible mark in it that turns the text around. Type it anew.")


def validate_visible(text: str) -> None:
    """Refuse a text that only looks empty, or different; whether it may be empty is another matter.

    See also `bookings.deciding.steps.require_name`, for names that no form has seen.
    """
    if text and not is_visible(text):
        raise ValidationError(_("Write something that can be seen."), code="invisible")
    if turns(text):
        raise ValidationError(TURNED, code="turning")


if TYPE_CHECKING:
    TextField = models.CharField[str | int | Combinable, str]
else:  # at run time it takes no types
    TextField = models.CharField


class NameField(TextField):
    """A name, or a reason: something of it can be seen, as it is.

    For migrations it is a CharField like any other.
    """

    default_validators = [validate_visible]

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
