"""Forms about the second factor."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import validate_visible

ONE_TIME = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}


class CodeForm(forms.Form):
    """The second step of signing in."""

    passcode = forms.CharField(
        label=pgettext_lazy("of an app", "Code"),
        max_length=40,
        help_text=_("Six digits from your authenticator app, or a recovery code."),
        widget=forms.TextInput(attrs={**ONE_TIME, "autofocus": True}),
    )


class AppForm(forms.Form):
    """The first code of an app that was just set up."""

    passcode = forms.CharField(
        label=pgettext_lazy("of an app", "Code"),
        max_length=10,
        help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(attrs={**ONE_TIME, "inputmode": "numeric"}),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=400)

    def clean_passcode(self) -> str:
        return "".join(letter for letter in self.cleaned_data["passcode"] if letter.isalnum())


class PasskeyNameForm(forms.Form):
    """What its owner calls a passkey."""

    name = forms.CharField(
        label=pgettext_lazy("of a passkey", "Name"),
        max_length=60,
        validators=[validate_visible],
        help_text=_("Where it is: “Phone”, “Office laptop”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PasskeyForm(PasskeyNameForm):
    """A new passkey: its name, and what the browser made of our challenge."""

    credential = forms.CharField(widget=forms.HiddenInput, max_length=20_000, required=False)


class SureForm(forms.Form):
    """The password once more, or a code from those who have an app."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        required=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
