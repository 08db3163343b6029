"""Roles that are given and taken in the admin leave the same trail as on the staff's pages."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts import trail
from accounts.models import StaffRole


class RolesLeaveATrail:
    """For an admin that has roles inline."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)  # type: ignore[misc]  # a mixin
        if formset.model is not StaffRole:
            return
        now, by = timezone.now(), request.user
        given = [*formset.new_objects, *(held for held, _fields in formset.changed_objects)]
        for held in given:
            trail.note(
                trail.Kind.ROLE,
                held.space_id,
                by=by,  # type: ignore[arg-type]  # they are signed in
                now=now,
                person=held.user,
                role=held.role,
            )
        for held in formset.deleted_objects:
            trail.note(
                trail.Kind.LEFT,
                held.space_id,
                by=by,  # type: ignore[arg-type]  # they are signed in
                now=now,
                person=held.user,
            )
