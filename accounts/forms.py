"""Forms for sign-up, sign-in, profile and API tokens."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, UsernameField
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import time_zones
from accounts.models import LANGUAGES, ApiToken, User


class LoginField(UsernameField):
    """A login in its stored form, so that length and letters are checked as they will be stored."""

    def to_python(self, value: str | None) -> str:
        login: str = super().to_python(value) or ""
        if self.max_length is not None and len(login) > self.max_length:
            return login  # refused for its length; don't bother folding it
        return User.normalize_username(login)


class RegisterForm(BaseUserCreationForm[User]):
    """What can be checked without looking anybody up; `services.register` does the rest."""

    class Meta:
        model = User
        fields = ("username", "password1", "password2", "email")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"username": LoginField}
        help_texts = {"email": _("For news about your bookings.")}
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "email"})}

    def validate_unique(self) -> None:
        """Check nothing here: tries of logins are counted first."""

    def validate_constraints(self) -> None:
        """Likewise."""


class LoginForm(AuthenticationForm):
    error_messages = {"invalid_login": _("Login or password is wrong.")}


class ForgottenForm(forms.Form):
    who = forms.CharField(
        label=_("Login or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )


class NamedFieldsFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows of a table in the admin: its columns have headers, but its controls lack labels."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for bound in form:
            if not bound.is_hidden:
                wrapped = getattr(bound.field.widget, "widget", bound.field.widget)
                wrapped.attrs.setdefault("aria-label", bound.label)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # at run time it takes none
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("what my browser asks for")), *LANGUAGES],
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("the one of the space")), ("UTC", "UTC"), *time_zones.by_region()],
        help_text=User._meta.get_field("time_zone").help_text,
    )

    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "theme")
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}


class EmailForm(forms.Form):
    """A new address. It needs the password, because mail can open the account."""

    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        max_length=254,
        help_text=_("Leave it empty to get no mail."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


def _lifetime(days: str) -> timedelta | None:
    return timedelta(days=int(days)) if days != "never" else None


class TokenForm(forms.Form):
    name = forms.CharField(
        label=pgettext_lazy("of a token", "Name"),
        max_length=60,
        help_text=_("What it is for: «Door tablet», «Calendar script»."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(label=_("It may"), choices=ApiToken.Scope.choices)
    lifetime = forms.TypedChoiceField(
        label=_("It expires"),
        choices=[
            ("30", _("in 30 days")),
            ("90", _("in 90 days")),
            ("365", _("in a year")),
            ("never", _("never")),
        ],
        initial="90",
        coerce=_lifetime,
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
