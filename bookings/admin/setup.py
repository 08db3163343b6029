"""Spaces, places and groups; changing them asks about the bookings there.

Spaces don't know bookings, so their admin is completed here; people's is in `people`.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet

from accounts.long_lists import NotCounted
from bookings.admin.asking import AskingAdmin
from bookings.deciding.stranding import Scope
from spaces.admin import PlaceAdmin, SpaceAdmin
from spaces.models import Place, Policy, Space

for model in (Space, Place, Group):
    admin.site.unregister(model)


@admin.register(Space)
class BookedSpaceAdmin(AskingAdmin, SpaceAdmin):
    def touched(self, rows: QuerySet[Any]) -> Scope:
        return Scope(spaces=list(rows.values_list("pk", flat=True)))


@admin.register(Place)
class BookedPlaceAdmin(AskingAdmin, PlaceAdmin):
    def touched(self, rows: QuerySet[Any]) -> Scope:
        return Scope(spaces=sorted(set(rows.order_by().values_list("space", flat=True))))


@admin.register(Group)
class BookedGroupAdmin(NotCounted, AskingAdmin, GroupAdmin):
    """A group's policies go with it, so other rules apply to its members' bookings."""

    def touched(self, rows: QuerySet[Any]) -> Scope:
        policies = Policy.objects.filter(group__in=rows.order_by().values("pk"))
        return Scope(spaces=sorted(set(policies.values_list("space", flat=True))))
