"""Forms for sign-up, sign-in, profile and API tokens."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    SetPasswordForm,
    UsernameField,
)
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import time_zones
from accounts.api import scopes
from accounts.letters import validate_visible
from accounts.models import LANGUAGES, ApiToken, User


class LoginField(UsernameField):
    """A login in its stored form, so that length and letters are checked as they will be stored."""

    def to_python(self, value: str | None) -> str:
        login: str = super().to_python(value) or ""
        if self.max_length is not None and len(login) > self.max_length:
            return login  # refused for its length; don't bother folding it
        return User.normalize_username(login)


PASSWORD_RULES = _("At least 8 characters, not only digits, and not a common word.")


class RegisterForm(forms.ModelForm):  # type: ignore[type-arg]  # at run time it takes none
    """What can be checked without looking anybody up; `services.register` does the rest.

    One password field, because it can be shown. Scripts may still send it twice, as `password2`.
    """

    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_RULES,
    )
    field_order = ["username", "email", "password1"]

    class Meta:
        model = User
        fields = ("username", "email")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"username": LoginField}
        help_texts = {
            "username": _("Letters, digits and @.+-_; capital or small makes no difference."),
            "email": _("To confirm and remind you of bookings, and if you forget your password."),
        }
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "email"})}

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        if data is not None and "password1" not in data and "password" in data:
            data = data.copy()  # signing in calls it that
            data["password1"] = data["password"]
        super().__init__(data, **kwargs)

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        if self.data.get("password2", password) != password:
            raise ValidationError(_("The two passwords differ."), code="password_mismatch")
        return password

    def _post_clean(self) -> None:
        """Check the password against the login and the address, which it must not resemble."""
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if password := self.cleaned_data.get("password1"):
            try:
                validate_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password1", error)

    def validate_unique(self) -> None:
        """Check nothing here: tries of logins are counted first."""

    def validate_constraints(self) -> None:
        """Likewise."""


class LoginForm(AuthenticationForm):
    error_messages = {"invalid_login": _("Login or password is wrong.")}


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # at run time it takes none
    """One field, because it can be shown. Scripts may still send it twice, as `new_password2`."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        del self.fields["new_password2"]
        self.fields["new_password1"].help_text = PASSWORD_RULES

    def validate_passwords(self, *names: str) -> None:
        password = self.cleaned_data.get("new_password1")
        if password and self.data.get("new_password2", password) != password:
            self.add_error("new_password1", _("The two passwords differ."))

    def validate_password_for_user(self, user: User, *names: str) -> None:
        super().validate_password_for_user(user, "new_password1")


class ChangePasswordForm(NewPasswordForm, PasswordChangeForm):
    """The old password and a new one."""


class ForgottenForm(forms.Form):
    who = forms.CharField(
        label=_("Login or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )


class NamedFieldsFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # generic for mypy alone
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
        if not user.has_usable_password():
            del self.fields["password"]  # the page asks in another way

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
        validators=[validate_visible],
        help_text=_("What it is for: “Door tablet”, “Calendar script”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(label=_("Access"), choices=ApiToken.Scope.choices)
    space: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label=pgettext_lazy("of a token", "Only in"),
        queryset=None,
        to_field_name="slug",
        required=False,
        empty_label=_("all spaces"),
    )
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spaces: Any = self.fields["space"]
        spaces.queryset = scopes.spaces()
