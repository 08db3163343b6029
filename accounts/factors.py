"""What people have besides the password: an authenticator app, passkeys, recovery codes.

People are named as text: `accounts.models` builds on this.
"""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import NameField
from accounts.watching import RequestField


class Authenticator(models.Model):
    """A person's authenticator app (TOTP, RFC 6238)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator"
    )
    sealed = models.TextField()  # its key, encrypted: see `accounts.second.totp`
    # The latest step of thirty seconds whose code was used: none works twice (RFC 6238, 5.2).
    last_step = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)


class Passkey(models.Model):
    """A key that never leaves a person's device; we have its public half."""

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys"
    )
    name = NameField(pgettext_lazy("of a passkey", "name"), max_length=60)
    credential = models.CharField(max_length=1400, unique=True)  # base64url
    public_key = models.TextField()  # base64url
    sign_count = models.BigIntegerField()
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """Opens the account once, when everything else is lost. Only its hash is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Identity(models.Model):
    """Who somebody is at the provider of OpenID Connect: that account signs in here too."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)  # OpenID Connect Core, section 2
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class FactorEvent(models.Model):
    """What happened to whatever opens an account, and who did it; nobody: the server's operator.

    Its owner is told by mail: see `accounts.factor_events`.
    """

    class Kind(models.TextChoices):
        APP_ADDED = "APP_ADDED", _("Authenticator app set up")
        APP_REMOVED = "APP_REMOVED", _("Authenticator app removed")
        PASSKEY_ADDED = "PASSKEY_ADDED", _("Passkey added")
        PASSKEY_REMOVED = "PASSKEY_REMOVED", _("Passkey removed")
        LINKED = "LINKED", _("Account of the provider linked")
        UNLINKED = "UNLINKED", _("Account of the provider unlinked")
        CODES_MADE = "CODES_MADE", _("New recovery codes")
        CODE_USED = "CODE_USED", _("Recovery code used")
        RESET = "RESET", _("All taken away by the operator")
        PASSWORD = "PASSWORD", _("Password changed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="factor_events"
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField()
    # In which language, and when the mail is due; empty once that is settled.
    language = models.CharField(max_length=5, blank=True, db_default="")
    due_at = models.DateTimeField(null=True)
    request_id = RequestField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="factor_event_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.user}"
