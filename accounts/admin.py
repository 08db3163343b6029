"""People and their roles in the admin, for superusers only."""

from typing import Any, ClassVar

from axes.models import AccessAttempt
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import access, emails, passwords, services
from accounts.flags import WORDS, FeatureFlag, Flag
from accounts.forms import LoginField, NamedFieldsFormSet
from accounts.long_lists import NotCounted
from accounts.models import ApiToken, StaffRole, User
from accounts.role_admin import RolesLeaveATrail
from accounts.sure import asks_again


class SuperusersOnly:
    """Closes a part of the admin to spaces' staff, whatever permissions they were given."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


class StaffRoleInline(SuperusersOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic for mypy alone
    model = StaffRole
    formset = NamedFieldsFormSet
    extra = 0

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        """Read the spaces once, not once per row."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.choices = list(field.choices)  # type: ignore[arg-type]  # a field of choices
        return field


class RefusesLookalikes(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    """Checks a login as sign-up does, unless it is unchanged."""

    def clean_username(self) -> str:
        login: str = self.cleaned_data["username"]
        if "username" in self.changed_data:
            try:
                services.check_login(login, of=self.instance)
            except services.LoginRefused as error:
                raise ValidationError(str(error), code=error.code) from error
            self.instance.looks_alike = False
        return login


class PersonForm(RefusesLookalikes, UserChangeForm):  # type: ignore[type-arg]  # generic for mypy alone
    class Meta(UserChangeForm.Meta):
        model = User
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"username": LoginField}


class NewPersonForm(RefusesLookalikes, AdminUserCreationForm):  # type: ignore[type-arg]  # generic for mypy alone
    class Meta(AdminUserCreationForm.Meta):
        model = User
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"username": LoginField}


class SetPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # generic for mypy alone
    """Sets a password without the old one, as the link in a mail does."""

    told: list[str]

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        now = timezone.now()
        ended = passwords.choose(user, password=user.password, now=now)
        self.told = access.told(ended, access.left_open(user, now=now))
        return user


@admin.register(User)
class UserAdmin(RolesLeaveATrail, SuperusersOnly, NotCounted, DjangoUserAdmin):  # type: ignore[type-arg]  # generic for mypy alone
    """People are not deleted here, as the history needs them: they leave, and are forgotten."""

    form = PersonForm
    add_form = NewPersonForm
    change_password_form = SetPasswordForm
    inlines = [StaffRoleInline]
    list_display = ["username", "name", "email", "roles", "is_active", "last_login"]
    list_filter = ["is_active", "is_superuser", "staff_roles__role", "groups"]
    search_fields = ["username", "name", "email"]
    filter_horizontal = ["groups"]
    readonly_fields = [
        "email_confirmed_at",
        "language",
        "time_zone",
        "theme",
        "last_login",
        "date_joined",
    ]
    fieldsets = [
        (None, {"fields": ["username", "password", "name", "email", "email_confirmed_at"]}),
        (_("Rights"), {"fields": ["is_active", "is_superuser", "groups"]}),
        (_("Chosen in the profile"), {"fields": ["language", "time_zone", "theme"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]

    @method_decorator(asks_again("POST"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        """Ask again before somebody gets rights, or another address."""
        return super().changeform_view(request, object_id, form_url, extra_context)

    @method_decorator(asks_again("POST"))
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        return super().user_change_password(request, id, form_url)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("staff_roles__space")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write to a new address, for its owner to confirm, and to the old one."""
        new = obj.email
        if change:
            obj.email = form.initial.get("email", new)
        super().save_model(request, obj, form, change)
        if new != obj.email:
            emails.put(obj, new, now=timezone.now())
            obj.email = new

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Record what a new password has ended; nothing else has the form."""
        for words in getattr(form, "told", []):
            messages.info(request, words)
        return super().construct_change_message(request, form, formsets, add)

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(
            f"{role.space}: {role.get_role_display()}" for role in user.staff_roles.all()
        )


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SuperusersOnly, NotCounted, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for mypy alone
    """Wrong passwords of the last few minutes. Deleting them unlocks a login or address."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time"]
    search_fields = ["username", "ip_address"]
    fields = ["username", "ip_address", "failures_since_start", "attempt_time"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(SuperusersOnly, NotCounted, admin.ModelAdmin):  # type: ignore[type-arg]  # takes none
    """Tokens that let programs in. Deleting one revokes it; only its owner can make one."""

    list_display = ["name", "user", "scope", "space", "created_at", "expires_at", "last_used_at"]
    list_filter = ["scope"]
    list_select_related = ["user", "space"]
    search_fields = ["name", "user__username", "user__name"]
    ordering = ["-created_at", "-pk"]
    fields = [
        "user",
        "name",
        "scope",
        "space",
        "ends_with",
        "created_at",
        "expires_at",
        "last_used_at",
    ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("ends with"))
    def ends_with(self, token: ApiToken) -> str:
        return format_html('<code lang="zxx">{}</code>', token.hint)


@admin.register(FeatureFlag)
class FeatureFlagAdmin(SuperusersOnly, NotCounted, admin.ModelAdmin):  # type: ignore[type-arg]  # takes none
    """What can be switched off. The code knows which there are: none is added or deleted here."""

    list_display = ["__str__", "what_it_does", "active", "modified"]
    fields = ["what_it_does", "active", "note", "modified"]
    readonly_fields = ["what_it_does", "modified"]
    ordering = ["name"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Leave out waffle's help, which speaks of switches and of the code."""
        no_help = dict.fromkeys(["active", "note", "modified"], "")
        return super().get_form(request, obj, change, **{**kwargs, "help_texts": no_help})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("what it does"))
    def what_it_does(self, flag: FeatureFlag) -> str:
        return str(WORDS[Flag(flag.name)][1]) if flag.name in WORDS else ""
