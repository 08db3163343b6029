"""What leads people into a space: invitations, and the tiers of its members.

Spaces and people are named as text: spaces builds on accounts, and `accounts.models` on this.
"""

from datetime import datetime
from typing import ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import NameField
from accounts.watching import RequestField


class Tier(models.Model):
    """Members of one space for whom its managers make rules of their own."""

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    space = models.ForeignKey(
        "spaces.Space", on_delete=models.CASCADE, related_name="tiers", verbose_name=_("space")
    )
    name = NameField(pgettext_lazy("of a tier", "name"), max_length=60)
    members: "models.ManyToManyField[models.Model, TierMember]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="TierMember", related_name="tiers"
    )

    class Meta:
        verbose_name = _("tier of members")
        verbose_name_plural = _("tiers of members")
        constraints = [
            models.UniqueConstraint(
                "space",
                Lower("name"),
                name="tier_name_once",
                violation_error_message=_("This space has a tier of that name."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TierMember(models.Model):
    """One person's place in one tier."""

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tier", "user"], name="tier_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.user}"


class TeamEvent(models.Model):
    """Who invited whom, who joined, who got or lost a role. See also `accounts.trail`."""

    class Kind(models.TextChoices):
        INVITED = "INVITED"
        REVOKED = "REVOKED"
        JOINED = "JOINED"
        ROLE = "ROLE"
        LEFT = "LEFT"

    space = models.ForeignKey("spaces.Space", on_delete=models.CASCADE, related_name="team_events")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    at = models.DateTimeField()
    # None: a command, or somebody whose row is gone.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=7, blank=True)
    # By name: a tier may be gone by now.
    tier = models.CharField(max_length=60, blank=True)
    # Which request did it: with that, the audit finds from where.
    request_id = RequestField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["space", "-at"], name="team_event_by_space")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class AuditEntry(models.Model):
    """A sign-in, or a change of a set-up: what no other log has. See also `accounts.audit`."""

    class Kind(models.TextChoices):
        SIGNED_IN = "SIGNED_IN", _("signed in")
        SIGNED_OUT = "SIGNED_OUT", _("signed out")
        REFUSED = "REFUSED", _("wrong password")
        CHANGED = "CHANGED", _("changed the set-up")
        SECURITY = "SECURITY", _("changed how they sign in")
        # Only says from where: what was done is in a log of its own.
        ACTED = "ACTED", _("worked for somebody")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField()
    # None: a command, or somebody whose row is gone.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # None: of no space, such as a sign-in.
    space = models.ForeignKey(
        "spaces.Space", on_delete=models.CASCADE, null=True, related_name="audit_entries"
    )
    # The name of the page on which it was done, and which row it was about.
    what = models.CharField(max_length=200, blank=True)
    # Of the network, shortened as the settings say.
    address = models.CharField(max_length=45, blank=True)
    # The browser and the system, in names: “Firefox, Windows”.
    device = models.CharField(max_length=60, blank=True, default="", db_default="")
    # Leads from what other logs have to the line that says from where.
    request_id = RequestField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["space", "-at"], name="audit_entry_by_space"),
            models.Index(fields=["-at"], name="audit_entry_by_time"),
            models.Index(fields=["request_id"], name="audit_entry_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class InvitationQuerySet[I: models.Model](models.QuerySet[I]):
    def of(self, space: models.Model) -> Self:
        return self.filter(space=space)

    def to_staff(self) -> Self:
        return self.filter(role__in=["HOST", "MANAGER"])

    def valid(self, now: datetime) -> Self:
        return self.filter(expires_at__gt=now)


class Invitation(models.Model):
    """A link that makes whoever holds it staff or a member of a space, once, or the site's owner.

    Its row goes when it is used or revoked. Only the hash of the link's key is kept.
    See also `accounts.invitations`.
    """

    class Role(models.TextChoices):
        OWNER = "OWNER", _("owner")
        MANAGER = "MANAGER", _("manager")
        HOST = "HOST", _("host")
        MEMBER = "MEMBER", _("member")

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    # None: the whole site.
    space = models.ForeignKey(
        "spaces.Space", on_delete=models.CASCADE, null=True, related_name="invitations"
    )
    role = models.CharField(_("role"), max_length=7, choices=Role.choices)
    tier = models.ForeignKey(
        Tier, on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    # Nobody is written to where it is empty: the key is shown to whoever may see it.
    email = models.EmailField(_("e-mail"), blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    language = models.CharField(max_length=5, blank=True)
    # The letter's number: each has a key of its own, and ends the one before.
    letter = models.PositiveSmallIntegerField(default=1)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # The sender pushes it back first, so that nobody else sends it. None: sent, or given up.
    due_at = models.DateTimeField(null=True, db_index=True)
    request_id = RequestField()

    objects: ClassVar[models.Manager["Invitation"]] = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            # Whoever has it owns the site, so there is only ever one.
            models.UniqueConstraint(
                fields=["role"], condition=Q(role="OWNER"), name="invitation_of_one_owner"
            ),
            models.UniqueConstraint(
                "space",
                Lower("email"),
                condition=Q(role__in=["HOST", "MANAGER"]),
                name="invitation_of_staff_once",
            ),
            models.UniqueConstraint(
                "tier",
                Lower("email"),
                condition=Q(role="MEMBER"),
                name="invitation_of_member_once",
            ),
            models.CheckConstraint(
                condition=Q(role="OWNER", space__isnull=True, tier__isnull=True, email="")
                | Q(role__in=["HOST", "MANAGER"], space__isnull=False, tier__isnull=True)
                | Q(role="MEMBER", space__isnull=False, tier__isnull=False),
                name="invitation_into",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_role_display())
