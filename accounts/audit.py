"""Who did what, when and from where, as far as no other log has it: sign-ins and changed set-ups.

Lines about changes are written by `accounts.acting`. Append-only: nothing here changes a row but
erasure and retention. What happened to bookings is in `BookingEvent`, and to a space's people in
`TeamEvent`; from where the staff did it is in a line here, of the same request.
"""

import logging
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import devices, replica
from accounts.addresses import address_of
from accounts.joining import AuditEntry
from accounts.models import User
from accounts.personal import ERASERS, EXPORTS, Traces

Kind = AuditEntry.Kind

logger = logging.getLogger("mesto.audit")

#: How much of an address is kept, in bits, by the setting's value: IPv4, IPv6.
PREFIXES = {"whole": (32, 64), "network": (24, 48)}
#: How many rows one unit of a worker's work forgets.
BATCH = 1000


def note(kind: str, *, actor: User, request: HttpRequest | None, now: datetime) -> None:
    """Write a line about a sign-in. A failure is logged and stops nobody from signing in or out."""
    if replica.is_read():
        return
    try:
        with transaction.atomic():
            write(kind, actor=actor, request=request, now=now)
    except (DatabaseError, InterfaceError):
        logger.exception("an audit line could not be written: %s", kind)


def write(
    kind: str,
    *,
    now: datetime,
    actor: User | None = None,
    space: int | None = None,
    what: str = "",
    request: HttpRequest | None = None,
) -> None:
    """Write a line, in the transaction of what it is about."""
    where: dict[str, str] = {}
    if request is not None:
        where["address"] = shortened(address_of(request))
        where["device"] = devices.named(request.META.get("HTTP_USER_AGENT", ""))
    AuditEntry.objects.create(
        kind=kind,
        at=now,
        actor_id=actor.pk if actor is not None else None,
        space_id=space,
        what=what[:200],
        **where,
    )


def shortened(address: str | None) -> str:
    """Return as much of a network address as AUDIT_ADDRESSES says."""
    prefixes = PREFIXES.get(settings.AUDIT["addresses"])
    if not address or prefixes is None:
        return ""
    found = ip_address(address)
    network = ip_network((found, prefixes[found.version == 6]), strict=False)
    return str(network.network_address)


# --- Signing in and out ---------------------------------------------------------------------------


def note_signed_in(sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
    note(Kind.SIGNED_IN, actor=user, request=request, now=timezone.now())


def note_signed_out(sender: Any, request: HttpRequest, user: User | None, **more: Any) -> None:
    # Whoever left a moment ago is signed out as well, and nothing of them should come back.
    if user is not None and User.objects.filter(pk=user.pk, is_active=True).exists():
        note(Kind.SIGNED_OUT, actor=user, request=request, now=timezone.now())


def note_refused(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any
) -> None:
    """Note a wrong password. A login that nobody has may be a password in the wrong field."""
    login = User.normalize_username(str(credentials.get("username") or "")[:150])
    user = User.objects.filter(username=login).first()
    if user is not None:
        note(Kind.REFUSED, actor=user, request=request, now=timezone.now())


# --- For whoever leaves, and for the worker -------------------------------------------------------


def register() -> None:
    from django.contrib.auth.signals import (
        user_logged_in,
        user_logged_out,
        user_login_failed,
    )

    # Whatever way of signing in there is tells Django of it, also those of other packages.
    user_logged_in.connect(note_signed_in, dispatch_uid="audit")
    user_logged_out.connect(note_signed_out, dispatch_uid="audit")
    user_login_failed.connect(note_refused, dispatch_uid="audit")
    EXPORTS["audit"] = _exported
    ERASERS.append(_erase)


def _exported(user: User) -> list[dict[str, Any]]:
    found = AuditEntry.objects.filter(actor=user).order_by("pk")
    return [
        {
            "at": each.at.isoformat(),
            "kind": each.kind,
            "what": each.what,
            "address": each.address,
            "device": each.device,
        }
        for each in found
    ]


def _erase(traces: Traces, now: datetime) -> None:
    mine = AuditEntry.objects.filter(actor=traces.user)
    mine.exclude(kind=Kind.CHANGED).delete()
    mine.update(address="", device="")
    for entry in AuditEntry.objects.filter(traces.may_be_in("what")):
        if traces.are_in(entry.what):
            AuditEntry.objects.filter(pk=entry.pk).update(what="")


def forget_old(*, now: datetime) -> int:
    """Delete lines that are older than AUDIT_RETENTION_DAYS; return how many."""
    days = settings.AUDIT["retention_days"]
    if not days:
        return 0
    old = AuditEntry.objects.filter(at__lt=now - timedelta(days=days)).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    return AuditEntry.objects.filter(pk__in=keys).delete()[0] if keys else 0
