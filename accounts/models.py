"""Who: people, and what they may do in which space."""

from datetime import datetime
from typing import Any, ClassVar
from unicodedata import normalize
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.factors import (  # noqa: F401 - tables of this app too
    Authenticator,
    FactorEvent,
    Identity,
    Passkey,
    RecoveryCode,
)
from accounts.flags import FeatureFlag  # noqa: F401 - likewise
from accounts.joining import AuditEntry, Invitation, Tier, TierMember  # noqa: F401 - likewise
from accounts.letters import NameField
from accounts.lookalikes import look
from accounts.watching import RequestField

LANGUAGES = [("en", "English"), ("ru", "Русский")]

#: Prefix of the login that remains of a deleted account.
ERASED = "erased-"


def as_stored(password: str) -> str:
    """Return a password as it is hashed: the same keys type й as one letter here, as two there."""
    return normalize("NFC", password)


class LookField(models.CharField):  # type: ignore[type-arg]  # at run time it takes none
    """What a login looks like, written whenever a whole row is saved, also by bulk_create."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        found = look(model_instance.username)  # type: ignore[attr-defined]  # only `User` has it
        setattr(model_instance, self.attname, found)
        return found


class UserManager(DjangoUserManager["User"]):
    def _create_user_object(
        self, username: str, email: str | None, password: str | None, **more: Any
    ) -> "User":
        plain = as_stored(password) if password is not None else None
        make = super()._create_user_object  # type: ignore[misc]  # not in the stubs
        user: User = make(username, email, plain, **more)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by login; «Alice» and «alice» are the same person."""
        return self.get(username=self.model.normalize_username(username or ""))


class User(AbstractUser):
    """A person who can sign in. A member unless a `StaffRole` says more."""

    class Theme(models.TextChoices):
        SYSTEM = "SYSTEM", _("like my device")
        LIGHT = "LIGHT", _("light")
        DARK = "DARK", _("dark")

    username = NameField(
        _("login"),
        max_length=150,
        unique=True,
        validators=[
            UnicodeUsernameValidator(
                message=_("A login may only have letters, digits and @ . + - _.")
            )
        ],
        help_text=_("Letters, digits and @ . + - _ . Capital or small makes no difference."),
        error_messages={"unique": _("This login is taken.")},
    )
    first_name = None  # type: ignore[assignment]  # one `name` serves every culture
    last_name = None  # type: ignore[assignment]  # we have one name
    name = NameField(pgettext_lazy("of a person", "name"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    # None: whoever reads mail there hasn't confirmed yet that it is theirs.
    email_confirmed_at = models.DateTimeField(_("e-mail confirmed"), null=True, editable=False)
    # Replaces it once confirmed.
    pending_email = models.EmailField(blank=True, default="", db_default="", editable=False)
    language = models.CharField(
        _("language"),
        max_length=5,
        blank=True,
        choices=LANGUAGES,
        help_text=_("Empty: what your browser asks for."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_(
            "Where you are. Times are always those of the space; "
            "its zone is named when yours differs."
        ),
    )
    theme = models.CharField(
        _("appearance"), max_length=6, choices=Theme.choices, default=Theme.SYSTEM
    )

    look = LookField(max_length=32, null=True, editable=False, db_index=True)
    # Existed before look-alikes were refused, and looks like somebody who existed earlier.
    looks_alike = models.BooleanField(default=False, db_default=False, editable=False)

    # Since when signing in takes more than the password. None: it doesn't. See `accounts.second`.
    second_factor_at = models.DateTimeField(null=True, editable=False)

    # Come with the row of whoever sends a request: see `accounts.people`.
    is_space_staff: bool
    is_space_manager: bool
    upcoming_count: int
    newest_booking: int  # the key of the last one requested, in any state; 0 before the first

    objects: ClassVar[UserManager] = UserManager()

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="user_login_once",
                violation_error_message=_("This login is taken."),
            ),
            models.UniqueConstraint(
                fields=["look"], condition=Q(looks_alike=False), name="user_look_once"
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Fold a login into its stored form, so that a plain UNIQUE decides.

        Databases differ on case (SQLite knows only ASCII), so we do it here. Follows
        the Unicode Standard, 5.18: case folding can undo normalization. Blanks around it are
        never intended; forms drop them, and programs should find the same person. The dot that
        folding leaves of a Turkish İ would be no letter.
        """
        folded = normalize("NFKC", username).casefold().replace("i\u0307", "i")
        return normalize("NFKC", folded).strip()

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(as_stored(raw_password) if raw_password is not None else None)

    def check_password(self, raw_password: str | None) -> bool:
        """Tell whether this is the password, on whatever system its letters were typed.

        Older passwords were hashed as typed.
        """
        if raw_password is None:
            return super().check_password(None)
        spellings = dict.fromkeys([as_stored(raw_password), raw_password])
        return any(super(User, self).check_password(spelling) for spelling in spellings)

    @cached_property
    def group_ids(self) -> frozenset[int]:
        """The keys of this person's groups, and of their tiers, negated: see `accounts.people`.

        Asked only where they didn't come with the row.
        """
        tiers = TierMember.objects.filter(user=self.pk).values_list("tier_id", flat=True)
        return frozenset([*self.groups.values_list("pk", flat=True), *(-tier for tier in tiers)])

    @property
    def is_erased(self) -> bool:
        """Tell whether this account was erased. See also `services.erase`."""
        return not self.is_active and self.username.startswith(ERASED)

    def get_full_name(self) -> str:
        return self.name or self.username

    def get_short_name(self) -> str:
        return self.get_full_name()


class Session(AbstractBaseSession):
    """A row of Django's table of sessions, with a column that leads to the person's row.

    The column only says where to look; `session_data` says who is signed in. Sessions of visitors
    have none, nor have those that a process of an earlier release opened.
    """

    user = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,  # our migration makes it
    )
    # To ten minutes or so: see `accounts.sessions`.
    seen_at = models.DateTimeField(null=True)

    class Meta:
        managed = False  # `django.contrib.sessions` makes the table, our migration the column
        db_table = "django_session"


class StaffRole(models.Model):
    """One person's role in one space."""

    class Role(models.TextChoices):
        HOST = "HOST", _("host")
        MANAGER = "MANAGER", _("manager")

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="staff_roles", verbose_name=_("person")
    )
    # By name: spaces builds on accounts, and no code here knows it.
    space = models.ForeignKey(
        "spaces.Space",
        on_delete=models.CASCADE,
        related_name="staff_roles",
        verbose_name=_("space"),
    )
    role = models.CharField(
        _("role"),
        max_length=7,
        choices=Role.choices,
        help_text=_("A host runs the day; a manager also sets the space up."),
    )

    class Meta:
        verbose_name = _("staff role")
        verbose_name_plural = _("staff roles")
        constraints = [
            models.UniqueConstraint(fields=["user", "space"], name="staff_role_once_per_space"),
        ]

    def __str__(self) -> str:
        return str(self.get_role_display())


#: What a program can do, and the least scope of a token that lets it.
VERBS = {"read": "READ", "book": "BOOK", "manage": "WRITE"}


class ApiToken(models.Model):
    """A key with which a program acts for one person. Only the hash of its text is kept."""

    class Scope(models.TextChoices):
        READ = "READ", _("read only")
        BOOK = "BOOK", _("read, and book for me")
        WRITE = "WRITE", _("all that I may")

        @property
        def verbs(self) -> frozenset[str]:
            """What its tokens can do: see, book for their owner, act for the staff."""
            least_first = list(ApiToken.Scope)
            return frozenset(
                verb
                for verb, least in VERBS.items()
                if least_first.index(self) >= least_first.index(ApiToken.Scope(least))
            )

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("person")
    )
    name = NameField(pgettext_lazy("of a token", "name"), max_length=60)
    scope = models.CharField(_("may"), max_length=5, choices=Scope.choices, default=Scope.READ)
    # By name: spaces builds on accounts. None: wherever its owner may.
    space = models.ForeignKey(
        "spaces.Space",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=pgettext_lazy("of a token", "only in"),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("ends with"), max_length=4, editable=False)
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = pgettext_lazy("in a sentence", "API tokens")
        indexes = [models.Index(fields=["space"], name="api_token_by_space")]

    def __str__(self) -> str:
        return self.name

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class IdempotencyKey(models.Model):
    """A program's POST and its answer: the same key gets the same answer."""

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # of the operation and the content
    created_at = models.DateTimeField()
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)  # empty while the request is running
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]

    def __str__(self) -> str:
        return self.key


class PasswordRequest(models.Model):
    """Somebody forgot a password: a mail with a link will be, or was, sent. One row per person."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="password_request")
    # That of the page where it was requested; used for people who chose none.
    language = models.CharField(max_length=5)
    asked_at = models.DateTimeField()
    # The sender pushes it back first, so that nobody else sends it. None: settled.
    due_at = models.DateTimeField(null=True, db_index=True)
    request_id = RequestField()

    def __str__(self) -> str:
        return str(self.user)


class PasswordQuestion(models.Model):
    """What somebody who forgot a password typed, until a worker has looked up who that is."""

    who = models.CharField(max_length=254)
    language = models.CharField(max_length=5)
    asked_at = models.DateTimeField()
    request_id = RequestField()

    def __str__(self) -> str:
        return self.who


class EmailLetter(models.Model):
    """A letter about a person's address, until a worker has sent it."""

    class About(models.TextChoices):
        CONFIRM = "CONFIRM"  # to the new one: is this yours?
        CHANGING = "CHANGING"  # to the old one: a new one is waiting for confirmation
        CHANGED = "CHANGED"  # to the old one: a new one is in use, or none

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    about = models.CharField(max_length=8, choices=About.choices)
    to = models.EmailField()
    other = models.EmailField(blank=True)
    language = models.CharField(max_length=5)
    asked_at = models.DateTimeField()
    # The sender pushes it back first, so that nobody else sends it.
    due_at = models.DateTimeField(db_index=True)
    request_id = RequestField()

    def __str__(self) -> str:
        return f"{self.about}: {self.to}"


class Tally(models.Model):
    """How often something was tried since when, from one address or for one login."""

    what = models.CharField(max_length=20)
    who = models.CharField(max_length=64)  # a hash: addresses and logins are nobody's business
    used = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["what", "who"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.what}: {self.used}"
