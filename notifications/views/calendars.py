"""Calendars: what apps read, and the pages where people get the addresses."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again
from bookings.models import Booking, BookingEvent
from notifications import personal
from notifications.calendars import feeds
from notifications.calendars.forms import SpaceFeedForm
from notifications.calendars.ics import entry_of, publication
from notifications.models import CalendarFeed
from spaces.models import Space

TYPE = "text/calendar; charset=utf-8"


@login_not_required
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a calendar app, which has nothing but the address to sign in with."""
    now = timezone.now()
    feed = feeds.find(token)
    if feed is None:
        raise Http404
    language = feed.user.language or translation.get_language() or settings.LANGUAGE_CODE
    with translation.override(language):
        shown = feeds.contents(feed, now=now)
        # By ETag alone: renaming a place changes the content, but not the time of the last change.
        response = get_conditional_response(request, etag=shown.etag)
        if response is None:
            response = HttpResponse(shown.written(), content_type=TYPE)
            response["Content-Disposition"] = 'inline; filename="mesto.ics"'
            response["Last-Modified"] = http_date(shown.changed_at.timestamp())
    feeds.note_reading(feed, now=now)
    response["ETag"] = shown.etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Language"] = language
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
@never_cache
def booking_calendar(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Hand one booking to a calendar."""
    mine = Booking.objects.of(request.user).that_ever_held()
    booking = get_object_or_404(mine, code=code)
    event = BookingEvent.objects.last_of(booking)
    content = publication([entry_of(event)], organizer=settings.MAIL_FROM)
    response = HttpResponse(content, content_type=TYPE)
    response["Content-Disposition"] = f'inline; filename="mesto-{booking.code}.ics"'
    return response


@require_safe
@never_cache
@asks_again("GET", "HEAD", gives_file=True)
def my_data_calendar(request: AuthenticatedRequest) -> HttpResponse:
    """Download all one's bookings for a calendar, however old they are."""
    response = HttpResponse(personal.calendar_of(request.user), content_type=TYPE)
    response["Content-Disposition"] = 'attachment; filename="mesto.ics"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def calendar(request: AuthenticatedRequest) -> HttpResponse:
    """Show the address of the person's own calendar; POST makes it."""
    if request.method == "POST":
        feeds.make(request.user, space=None, place=None, now=timezone.now())
        return redirect("calendar")
    own = CalendarFeed.objects.of_own_bookings(request.user).first()
    context = {
        "feed": own,
        "url": _url(request, own) if own else "",
        "spaces": Space.objects.run_by(request.user).by_slug(),
    }
    return render(request, "notifications/calendar.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def space_calendars(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show the person's addresses for a space and its places; make one."""
    space = get_object_or_404(Space.objects.run_by(request.user), slug=slug)
    found = list(CalendarFeed.objects.in_space(request.user, space))
    form = SpaceFeedForm(
        request.POST if request.method == "POST" else None, space=space, feeds=found
    )
    if form.is_valid():
        feeds.make(request.user, space=space, place=form.place, now=timezone.now())
        return redirect("space_calendars", space.slug)
    context = {
        "space": space,
        "form": form,
        "feeds": [(feed, feeds.title(feed), _url(request, feed)) for feed in found],
        "is_manager": Space.objects.managed_by(request.user).filter(pk=space.pk).exists(),
    }
    status = 422 if form.errors else 200
    return render(request, "notifications/space_calendars.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def renew_calendar(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then give a calendar a new address."""
    feed = _mine(request, code)
    if request.method != "POST":
        return _ask(request, feed, "notifications/renew_calendar.html")
    feeds.renew(feed, now=timezone.now())
    messages.success(request, _("There is a new address. The old one no longer shows anything."))
    return redirect(_page_of(feed))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def close_calendar(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then close a calendar."""
    feed = _mine(request, code)
    if request.method != "POST":
        return _ask(request, feed, "notifications/close_calendar.html")
    feeds.close(feed)
    messages.success(request, _("Closed. Its address no longer shows anything."))
    return redirect(_page_of(feed))


def _mine(request: AuthenticatedRequest, code: UUID) -> CalendarFeed:
    mine = CalendarFeed.objects.of(request.user).select_related("space", "place__space")
    found: CalendarFeed = get_object_or_404(mine, code=code)
    return found


def _ask(request: AuthenticatedRequest, feed: CalendarFeed, template: str) -> HttpResponse:
    context = {"feed": feed, "title": feeds.title(feed), "back": _page_of(feed)}
    return render(request, template, context)


def _page_of(feed: CalendarFeed) -> str:
    if feed.space is None:
        return reverse("calendar")
    return reverse("space_calendars", args=[feed.space.slug])


def _url(request: HttpRequest, feed: CalendarFeed) -> str:
    return request.build_absolute_uri(reverse("calendar_feed", args=[feeds.token_of(feed)]))
