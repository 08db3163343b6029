"""Set up a space: its hours, places, policies and staff."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import ForeignKey, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import time_zones
from accounts.joining import Tier
from accounts.models import StaffRole
from accounts.role_admin import RolesLeaveATrail
from spaces import services, setups
from spaces.clocks import ClockInput
from spaces.forms import GeneratePlacesForm, PlaceForm, ShiftForm, SpaceForm, StaffRoleForm
from spaces.models import OpeningHours, Place, Policy, Shift, Space, TurnTime
from spaces.setups import Setup
from spaces.slots import clock, subtract
from spaces.staff_admin import SpaceInline, SpaceScopedAdmin

type Inline = InlineModelAdmin[Any, Any]


class OpeningHoursInline(SpaceInline):
    model = OpeningHours
    ordering = ["weekday", "opens_at"]
    formfield_overrides = {models.TimeField: {"widget": ClockInput}}

    def get_extra(self, request: HttpRequest, obj: Space | None = None, **kwargs: Any) -> int:
        return 1 if obj else len(OpeningHours.Weekday)


class PlaceInline(SpaceInline):
    """The first places of a new space; later they have pages of their own."""

    model = Place
    fields = ["number", "name", "kind", "capacity"]


class ShiftInline(SpaceInline):
    model = Shift
    form = ShiftForm
    template = "admin/edit_inline/stacked.html"
    extra = 0
    fields = [
        "name",
        "weekdays",
        ("first_seating", "last_seating"),
        ("covers_online", "covers_in_house"),
    ]
    ordering = ["first_seating", "name"]
    formfield_overrides = {models.TimeField: {"widget": ClockInput}}


class TurnTimeInline(SpaceInline):
    model = TurnTime
    extra = 0
    ordering = ["from_party"]


class PolicyInline(SpaceInline):
    model = Policy
    template = "admin/edit_inline/stacked.html"
    extra = 0
    fields = [
        ("kind", "group", "tier", "shift"),
        ("step_minutes", "min_minutes", "max_minutes"),
        ("min_notice_minutes", "max_days_ahead"),
        ("cancel_deadline_minutes", "grace_minutes"),
        ("max_upcoming", "max_minutes_per_day"),
        ("check_in_opens_minutes", "release_after_minutes"),
        ("max_no_shows", "no_show_days"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        return super().get_queryset(request).select_related("group", "tier", "shift").order_by("pk")

    def get_formset(self, request: HttpRequest, obj: Space | None = None, **kwargs: Any) -> Any:
        request.space_of_choices = obj  # type: ignore[attr-defined]  # for the method below
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        """Offer the space's own shifts and tiers. Read all choices once, not once per policy."""
        of = getattr(request, "space_of_choices", None)
        if db_field.related_model is Shift:
            kwargs["queryset"] = Shift.objects.filter(space=of).order_by("first_seating", "name")
        elif db_field.related_model is Tier:
            kwargs["queryset"] = Tier.objects.filter(space=of).order_by("name")
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.choices = list(field.choices)  # type: ignore[arg-type]  # a field of choices
        return field


class StaffRoleInline(SpaceInline):
    model = StaffRole
    form = StaffRoleForm
    readonly_fields = ["login"]
    extra = 0

    def get_fields(self, request: HttpRequest, obj: Space | None = None) -> list[Any]:
        """Show hosts only the login: a person's own page is closed to them."""
        may_grant = self.has_change_permission(request, obj)
        return ["user" if may_grant else "login", "role"]

    @admin.display(description=gettext_lazy("login"))
    def login(self, role: StaffRole) -> str:
        return role.user.username

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffRole]:
        return super().get_queryset(request).select_related("user").order_by("user__username")


@admin.register(Space)
class SpaceAdmin(RolesLeaveATrail, SpaceScopedAdmin):
    space_path = ""
    form = SpaceForm
    list_display = ["name", "kind", "zone", "places", "open_today", "is_active"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name", "slug", "address"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    fields = [
        ("name", "slug"),
        ("kind", "time_zone"),
        "country",
        "address",
        ("phone", "email"),
        "about",
        ("guests_may_book", "guest_retention_days"),
        "hold_minutes",
        ("reminder_hours", "is_active"),
    ]
    inlines = [
        *(OpeningHoursInline, PlaceInline, ShiftInline, TurnTimeInline, PolicyInline),
        StaffRoleInline,
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Space]:
        spaces: Any = super().get_queryset(request)
        found: QuerySet[Space] = spaces.with_place_count()
        return found

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the set-ups of a whole page at once."""
        changelist = super().get_changelist_instance(request)
        listed = list(changelist.result_list)
        found = setups.of(Space.objects.filter(pk__in=[space.pk for space in listed]))
        for space in listed:
            space.setup = found.get(space.pk)
        changelist.result_list = listed
        return changelist

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def view_on_site(self, space: Space) -> str:
        return space.get_absolute_url()

    def get_inlines(self, request: HttpRequest, obj: Space | None) -> list[type[Inline]]:
        return [inline for inline in self.inlines if inline is not PlaceInline or obj is None]

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Space, inline: Inline, prefix: str
    ) -> dict[str, Any]:
        """Lay out the week for the hours of a new space."""
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if inline.model is OpeningHours and obj._state.adding:
            kwargs["initial"] = [{"weekday": weekday} for weekday in OpeningHours.Weekday]
        return kwargs

    @admin.display(description=gettext_lazy("time zone"), ordering="time_zone")
    def zone(self, space: Space) -> str:
        return time_zones.in_words(space.time_zone)

    @admin.display(description=gettext_lazy("places"), ordering="place_count")
    def places(self, space: Space) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            _places_of(space),
            space.place_count,  # type: ignore[attr-defined]  # annotated
        )

    @admin.display(description=gettext_lazy("open today"))
    def open_today(self, space: Space) -> str:
        now = timezone.now()
        setup: Setup = space.setup  # type: ignore[attr-defined]  # see `get_changelist_instance`
        venue = setup.venue((), now - timedelta(days=1))
        closed = [closure.period for closure in venue.closures if closure.place is None]
        openings = subtract(venue.openings(venue.today(now)), closed)
        zone = venue.zone
        return ", ".join(
            f"{clock(opening.starts_at.astimezone(zone))}–{clock(opening.ends_at.astimezone(zone))}"
            for opening in openings
        ) or _("closed")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.generate_places)
        mine = path("<int:pk>/generate-places/", view, name="spaces_space_generate")
        return [mine, *super().get_urls()]

    def generate_places(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Create numbered places in bulk."""
        space: Space | None = self.get_object(request, str(pk))
        if space is None:
            raise Http404
        if not self.has_change_permission(request, space):
            raise PermissionDenied
        initial = {"first_number": Place.objects.next_number(space), "kind": _usual_kind(space)}
        form = GeneratePlacesForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    made = services.generate_places(space, **form.cleaned_data)
                    self.log_change(request, space, f"{made[0].number}–{made[-1].number}")
            except services.NumbersTaken as error:
                form.add_error("first_number", str(error))
            else:
                text = ngettext("Created %(n)d place.", "Created %(n)d places.", len(made))
                messages.success(request, text % {"n": len(made)})
                return redirect(_places_of(space))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Generate places"),
            "subtitle": space.name,
            "opts": self.opts,
            "original": space,
            "form": form,
            "adminform": AdminForm(
                form,  # type: ignore[arg-type]  # it takes any form
                [(None, {"fields": list(form.fields)})],
                {},
            ),
        }
        return TemplateResponse(request, "admin/spaces/space/generate_places.html", context)


@admin.register(Place)
class PlaceAdmin(SpaceScopedAdmin):
    form = PlaceForm
    list_display = ["place", "space", "kind", "capacity", "offers", "made_of", "is_bookable"]
    list_filter = [("space", admin.RelatedOnlyFieldListFilter), "kind", "is_bookable"]
    list_select_related = ["space"]
    search_fields = ["name", "number__exact", "kind", "space__name"]
    ordering = ["space__name", "number"]
    filter_horizontal = ["parts"]
    actions = ["offer", "withdraw"]
    delete_confirmation_template = "admin/spaces/place/delete_confirmation.html"
    delete_selected_confirmation_template = "admin/spaces/place/delete_confirmation.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Place]:
        return super().get_queryset(request).prefetch_related("parts")

    def get_fields(self, request: HttpRequest, obj: Place | None = None) -> list[Any]:
        """Ask for a place's parts once it exists and its space is fixed."""
        fields: list[Any] = ["space", ("number", "name"), ("kind", "area")]
        fields.append(("capacity", "min_party", "priority"))
        if obj is not None and not self.has_change_permission(request, obj):
            return [*fields, "offers", "is_bookable", "made_of"]
        fields += ["features", "is_bookable", ("plan_x", "plan_y")]
        return fields if obj is None else [*fields, "parts"]

    def get_readonly_fields(self, request: HttpRequest, obj: Place | None = None) -> list[str]:
        return ["offers", "made_of"]

    def save_related(
        self, request: HttpRequest, form: "forms.ModelForm[Place]", formsets: Any, change: bool
    ) -> None:
        """Write only the parts, through the service: there are no other relations."""
        if change:
            services.set_parts(form.instance, form.cleaned_data["parts"])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Keep places that something needs, and parts: a composite's bookings are on its leaves."""
        if kept := [line for keeper in services.keepers for line in keeper(objs)]:
            return [], {}, set(), kept
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        chosen = {place.pk for place in objs}
        wholes = Place.objects.filter(parts__in=chosen).exclude(pk__in=chosen).distinct()
        return deleted, counts, missing, [*protected, *map(str, wholes.by_number())]

    @admin.display(description=gettext_lazy("place"), ordering="number")
    def place(self, place: Place) -> str:
        return str(place)

    @admin.display(description=gettext_lazy("features"))
    def offers(self, place: Place) -> str:
        return ", ".join(place.feature_labels)

    @admin.display(description=gettext_lazy("parts"))
    def made_of(self, place: Place) -> str:
        return ", ".join(map(str, place.parts.all()))

    @admin.action(description=gettext_lazy("Offer selected places"), permissions=["change"])
    def offer(self, request: HttpRequest, places: QuerySet[Place]) -> None:
        count = self.writable(request, places).update(is_bookable=True)
        text = ngettext("%(n)d place can be booked.", "%(n)d places can be booked.", count)
        messages.success(request, text % {"n": count})

    @admin.action(description=gettext_lazy("Withdraw selected places"), permissions=["change"])
    def withdraw(self, request: HttpRequest, places: QuerySet[Place]) -> None:
        count = self.writable(request, places).update(is_bookable=False)
        text = ngettext(
            "%(n)d place can’t be booked any more.", "%(n)d places can’t be booked any more.", count
        )
        messages.success(request, text % {"n": count})


def _places_of(space: Space) -> str:
    query = {"space__id__exact": space.pk}
    return reverse("admin:spaces_place_changelist", query=query)


def _usual_kind(space: Space) -> Place.Kind:
    return Place.Kind.TABLE if space.kind == Space.Kind.RESTAURANT else Place.Kind.DESK
