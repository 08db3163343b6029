"""The admin as a space's staff see it: their spaces and nothing else.

What a person may do follows from their `StaffRole` rows; Django's own permissions play no part.
"""

from collections.abc import Collection
from operator import attrgetter
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import (
    Field,
    ForeignKey,
    IntegerField,
    Model,
    QuerySet,
    TimeField,
    prefetch_related_objects,
)
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.forms import NamedFieldsFormSet
from accounts.long_lists import NotCounted
from accounts.models import StaffRole, User
from accounts.numbers import WholeNumberField
from spaces.clocks import ClockField, ClosingField
from spaces.models import Place, Space
from spaces.querysets import SpaceQuerySet

ANY_ROLE = frozenset(StaffRole.Role)
MANAGERS = frozenset({StaffRole.Role.MANAGER})


def holds(request: HttpRequest, roles: Collection[str], space: int | None = None) -> bool:
    """Tell whether the person has one of the roles in a space (None: in any)."""
    user = request.user
    if not isinstance(user, User):
        return False
    if user.is_superuser:
        return True
    prefetch_related_objects([user], "staff_roles")  # used many times per page, so read once
    return any(
        held.role in roles and space in (None, held.space_id) for held in user.staff_roles.all()
    )


class PlainInputs:
    """Parse numbers and times in admin forms as people write them, not as Python does."""

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "forms.Field | None":
        form_class: type[forms.Field] | None = None
        if isinstance(db_field, TimeField):
            form_class = ClosingField if db_field.name == "closes_at" else ClockField
        elif isinstance(db_field, IntegerField) and not db_field.choices:
            form_class = WholeNumberField
        if form_class is not None:
            kwargs.setdefault("form_class", form_class)
        made: forms.Field | None = super().formfield_for_dbfield(  # type: ignore[misc]  # its stubs take no request
            db_field, request, **kwargs
        )
        return made


class SpaceScopedAdmin(NotCounted, PlainInputs, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for mypy alone
    """Rows that belong to a space: its staff see them, those with one of `writers` change them."""

    #: The lookup from a row to its space; empty where the row is the space.
    space_path: ClassVar[str] = "space"
    #: The roles that may add, change and delete.
    writers: ClassVar[Collection[str]] = MANAGERS

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Say so when two people save conflicting rows and a constraint chose one of them."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            message = _("Someone saved the same thing a moment ago. Yours was not saved.")
            messages.error(request, message)
            return redirect(request.get_full_path())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        spaces = Space.objects.run_by(request.user)  # type: ignore[arg-type]  # signed in
        return super().get_queryset(request).filter(**{f"{self.space_path or 'pk'}__in": spaces})

    def writable(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that this person may change: a host of one space may manage another."""
        return queryset.filter(**{f"{self.space_path or 'pk'}__in": self.writable_spaces(request)})

    def writable_spaces(self, request: HttpRequest) -> SpaceQuerySet[Space]:
        user: User = request.user  # type: ignore[assignment]  # signed in
        if StaffRole.Role.HOST in self.writers:
            return Space.objects.run_by(user)
        return Space.objects.managed_by(user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return holds(request, ANY_ROLE)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, ANY_ROLE, self._space_of(obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return holds(request, self.writers)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, self.writers, self._space_of(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, self.writers, self._space_of(obj))

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        """Offer and accept only the person's own spaces and the places in them."""
        if db_field.related_model is Space:
            kwargs["queryset"] = self.writable_spaces(request)
        elif db_field.related_model is Place:
            kwargs["queryset"] = Place.objects.in_spaces(self.writable_spaces(request)).by_number()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _space_of(self, obj: Model | None) -> int | None:
        if obj is None:
            return None
        path = f"{self.space_path.replace('__', '.')}_id" if self.space_path else "pk"
        space: int = attrgetter(path)(obj)
        return space


def _pk(space: Model | None) -> int | None:
    return None if space is None else space.pk


class SpaceInline(PlainInputs, admin.TabularInline):  # type: ignore[type-arg]  # generic for mypy alone
    """Rows on a space's own page: the permissions are those of the space."""

    formset = NamedFieldsFormSet

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, ANY_ROLE, _pk(obj))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, MANAGERS, _pk(obj))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, MANAGERS, _pk(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return holds(request, MANAGERS, _pk(obj))
