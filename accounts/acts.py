"""What the forms of accounts do, for the person who submits one again."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import ProfileForm, TokenForm
from accounts.models import User
from accounts.presses import ACTS, TYPED, Act, Describe
from accounts.second.forms import PasskeyNameForm


def register() -> None:
    ACTS["profile"] = Act(gettext_lazy("Save"), filled_in(ProfileForm))
    ACTS["password"] = Act(gettext_lazy("Change the password"), _login)
    ACTS["email"] = Act(gettext_lazy("Change the address"), _address)
    ACTS["email_again"] = Act(gettext_lazy("Send the link again"))
    ACTS["forgotten"] = Act(gettext_lazy("Send me the link"))
    ACTS["new_password"] = Act(gettext_lazy("Change the password"))
    ACTS["confirm_email"] = Act(gettext_lazy("Yes, confirm it"))
    ACTS["stays"] = Act(gettext_lazy("Revoke all"), is_dangerous=True)
    ACTS["oidc_link"] = Act(gettext_lazy("Link them"))
    ACTS["oidc_unlink"] = Act(gettext_lazy("Unlink it"), is_dangerous=True)
    ACTS["sessions"] = Act(_sign_out_words, is_dangerous=True)
    ACTS["sure"] = Act(gettext_lazy("Go on"))
    ACTS["factor_app"] = Act(gettext_lazy("Turn it on"))
    ACTS["factor_app_remove"] = Act(gettext_lazy("Remove the app"), is_dangerous=True)
    ACTS["passkey_add"] = Act(gettext_lazy("Add the passkey"))
    ACTS["passkey_name"] = Act(gettext_lazy("Save"), filled_in(PasskeyNameForm))
    ACTS["passkey_remove"] = Act(gettext_lazy("Remove the passkey"), is_dangerous=True)
    ACTS["passkey_sign_in"] = Act(gettext_lazy("Sign in with a passkey"))
    ACTS["factor_codes"] = Act(gettext_lazy("Make new codes"), is_dangerous=True)
    ACTS["tokens"] = Act(gettext_lazy("Make the token"), filled_in(TokenForm))
    ACTS["revoke"] = Act(gettext_lazy("Revoke the token"), _token, is_dangerous=True)


def filled_in(kind: Callable[[QueryDict], forms.BaseForm]) -> Describe:
    """Describe what was sent by a form's own labels and choices, to whoever is signed in."""

    def describe(
        sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
    ) -> list[str]:
        form = kind(sent)
        shown = form.visible_fields() if reader.is_authenticated else []
        return [f"{bound.label}: {text}" for bound in shown if (text := _in_words(bound))]

    return describe


def _in_words(bound: forms.BoundField) -> str:
    value = bound.value()
    if isinstance(bound.field, forms.BooleanField):
        return _("yes") if value else _("no")
    if isinstance(bound.field, forms.ChoiceField):
        return next(
            (str(text) for key, text in _flat(bound.field.choices) if str(key) == value), ""
        )
    return str(value or "")


def _flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each choice, whether it is in a group or not."""
    for key, text in choices:
        if isinstance(text, list | tuple):
            yield from text
        else:
            yield key, text


def _sign_out_words(sent: QueryDict) -> str:
    is_all = sent.get("end") == "all"
    return _("Sign out everywhere else") if is_all else _("Sign it out")


def _login(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    return [f"{TYPED['username']}: {reader.username}"] if isinstance(reader, User) else []


def _address(
    sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
) -> list[str]:
    if not isinstance(reader, User):
        return []
    return [f"{TYPED['email']}: {sent.get('email') or '–'}"]


def _token(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    if not isinstance(reader, User):
        return []
    return [token.name for token in reader.api_tokens.filter(code=address["code"])]
