"""Delete accounts: the bookings are given back, the person is forgotten."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import UserAdmin
from accounts.models import User
from accounts.sure import asks_again
from bookings.admin.asking import AskingAdmin
from bookings.admin.pages import MOST, address, back_to_list, page
from bookings.deciding import leaving
from bookings.deciding.errors import BookingError
from bookings.deciding.stranding import Scope
from bookings.models import Booking

admin.site.unregister(User)  # accounts doesn't know bookings; here people have theirs


@admin.register(User)
class PersonAdmin(AskingAdmin, UserAdmin):
    actions = ["delete_accounts"]

    def touched(self, rows: QuerySet[Any]) -> Scope:
        """A closed account or other groups: different rules apply to the person's bookings."""
        return Scope(people=list(rows.values_list("pk", flat=True)))

    def get_urls(self) -> list[URLPattern]:
        return [address(self, "leave", self.leave_view), *super().get_urls()]

    @admin.action(description=gettext_lazy("Delete accounts…"), permissions=["view"])
    def delete_accounts(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        if len(people[: MOST + 1]) > MOST:
            messages.error(request, _("Choose at most %(n)d people at a time.") % {"n": MOST})
            return None
        return self._ask(request, people)

    @method_decorator(asks_again("POST"))
    def leave_view(self, request: HttpRequest) -> HttpResponse:
        """Ask first; POST forgets each person."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else request.GET
        chosen = set(data.getlist(ACTION_CHECKBOX_NAME)[:MOST])
        people = self.get_queryset(request).filter(pk__in=chosen)
        if not chosen or people.count() != len(chosen):
            raise Http404
        if request.method != "POST":
            return self._ask(request, people)
        self._forget(request, people)
        return back_to_list(self, request)

    def _ask(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse:
        upcoming = Booking.objects.filter(member=OuterRef("pk")).upcoming(timezone.now())
        counted = people.annotate(upcoming=upcoming.count_subquery()).order_by("username")
        return page(
            self,
            request,
            "admin/bookings/leave.html",
            title=_("Delete accounts"),
            people=counted,
        )

    def _forget(self, request: HttpRequest, people: QuerySet[User]) -> None:
        by: Any = request.user
        done = cancelled = 0
        for person in people:
            if person == by:
                messages.error(request, _("Delete your own account on your profile’s page."))
                continue
            try:
                cancelled += leaving.leave(person, by=by, now=timezone.now())
            except BookingError as error:
                messages.error(request, f"{person}: {error}")
            else:
                done += 1
        accounts = ngettext("Deleted %(n)d account.", "Deleted %(n)d accounts.", done)
        bookings = ngettext("Cancelled %(n)d booking.", "Cancelled %(n)d bookings.", cancelled)
        if done:
            text = f"{accounts % {'n': done}} {bookings % {'n': cancelled}}"
            messages.success(request, text)
