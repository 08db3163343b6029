"""The day of one space: who is here, who comes next, who comes later."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import AuthenticatedRequest
from bookings.models import Booking
from bookings.staff.access import setup_run_by


@require_safe
@never_cache
def staff_day(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show who has booked for today, in the order in which they come."""
    now = timezone.now()
    setup = setup_run_by(request.user, slug)
    venue = setup.venue((), now)
    span = venue.day_span(venue.day_of(now))
    rows = Booking.objects.at_places([place.pk for place in setup.places]).occupying()
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "bookings": rows.overlapping(span).with_person().order_by("starts_at", "pk"),
    }
    return render(request, "staff/day.html", context)
