"""Members in a file, and their tiers: it becomes a plan, which is shown, then carried out whole.

A line names a member by login, or anybody by e-mail address, and the tiers to be in from then on.
Whoever isn't a member here yet is invited: nobody gets into a tier unasked, and no answer tells who
has an account. People who aren't in the file stay as they are, so an old file takes nobody out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.joining import Invitation, Tier, TierMember
from accounts.models import User
from bookings.deciding import sheets
from bookings.deciding.joining import KEPT, lock_tiers, put_in
from bookings.deciding.sheets import FileError
from bookings.deciding.stranding import Act, Scope, changing
from bookings.words.spreadsheets import undefused
from spaces.models import Space

COLUMNS = ("login", "name", "email", "tiers")

#: Between the names of tiers in one cell; so no name has it.
BETWEEN = ";"

MOST_LINES = 2_000

#: What can be an address, and can be kept as one.
ADDRESS: Any = Invitation._meta.get_field("email")


@dataclass(frozen=True)
class Here:
    """A member as the space knows them: keys of tiers, and the address if it is theirs."""

    user: User
    email: str
    tiers: frozenset[int]


@dataclass(frozen=True)
class Wrong:
    """A line that can't be carried out, and what to do about it."""

    number: int
    text: str
    remedy: str


@dataclass(frozen=True)
class Move:
    """A member enters some tiers and leaves others."""

    user: User
    enters: tuple[Tier, ...]
    leaves: tuple[Tier, ...]


@dataclass(frozen=True)
class Invite:
    """Somebody is invited into a tier."""

    email: str
    tier: Tier


@dataclass
class Plan:
    """What a file would change."""

    moves: list[Move] = field(default_factory=list)
    invites: list[Invite] = field(default_factory=list)
    #: Lines that change nothing.
    unchanged: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        return not (self.moves or self.invites)

    @property
    def is_applicable(self) -> bool:
        return not self.wrong and not self.changes_nothing

    @property
    def told(self) -> tuple[str, ...]:
        """Name all of it, so that two plans can be compared."""
        moves = [
            f"{move.user.pk} +{[tier.pk for tier in move.enters]} -{[t.pk for t in move.leaves]}"
            for move in self.moves
        ]
        return (*moves, *(f"{invite.email} {invite.tier.pk}" for invite in self.invites))


def read(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return each line's number and cells, by column. Raises FileError."""
    rows = sheets.rows(content, encoding=sheets.likely_encoding(content))
    number, names = next(rows, (1, []))
    columns = [name.lower() for name in names]
    while columns and not columns[-1]:
        columns.pop()
    unknown = [name for name in columns if name not in COLUMNS]
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if not {"login", "email"} & set(columns) or "tiers" not in columns or unknown or twice:
        raise FileError(
            _(
                "Line %(number)d has to name the columns: tiers, and login or email; name too. "
                "It says: %(columns)s."
            )
            % {"number": number, "columns": ", ".join(names) or "–"}
        )
    found: list[tuple[int, dict[str, str]]] = []
    for number, cells in rows:
        if any(cells[len(columns) :]):
            raise FileError(
                _("Line %(number)d has more values than there are columns.") % {"number": number}
            )
        if len(found) == MOST_LINES:
            message = _("The file has more than %(n)d lines. Split it into several files.")
            raise FileError(message % {"n": MOST_LINES})
        values = {name: undefused(cell) for name, cell in zip(columns, cells, strict=False)}
        found.append((number, dict.fromkeys(COLUMNS, "") | values))
    return found


def plan(
    space: Space,
    lines: Iterable[tuple[int, Mapping[str, str]]],
    *,
    members: Iterable[Here],
    now: datetime,
) -> Plan:
    """Compare lines with what is there; nothing is written."""
    return _Planning(space, members, now).of(lines)


class _Planning:
    def __init__(self, space: Space, members: Iterable[Here], now: datetime) -> None:
        known_tiers = list(Tier.objects.filter(space=space.pk).order_by("pk"))
        self.by_key = {tier.pk: tier for tier in known_tiers}
        # A name as it is written comes first: “Straße” and “STRASSE” may be two.
        self.tiers = {tier.name.casefold(): tier for tier in known_tiers}
        self.tiers |= {tier.name: tier for tier in known_tiers}
        known = list(members)
        self.by_login = {each.user.username: each for each in known}
        self.by_email: dict[str, list[Here]] = {}
        for each in known:
            if each.email:
                self.by_email.setdefault(each.email.casefold(), []).append(each)
        open_ones = Invitation.objects.filter(
            space=space.pk, tier__isnull=False, expires_at__gt=now
        )
        self.invited = {
            (email.casefold(), tier) for email, tier in open_ones.values_list("email", "tier")
        }
        self.seen: dict[object, int] = {}
        self.plan = Plan()

    def of(self, lines: Iterable[tuple[int, Mapping[str, str]]]) -> Plan:
        for number, values in lines:
            try:
                self._line(number, values)
            except ValueError as error:
                text = ", ".join(filter(None, (values[name] for name in COLUMNS)))
                text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
                self.plan.wrong.append(Wrong(number, text, str(error)))
        return self.plan

    def _line(self, number: int, values: Mapping[str, str]) -> None:
        if any("\0" in text for text in values.values()):
            raise ValueError(_("The line contains a character that isn’t text."))
        tiers = self._tiers(values["tiers"])
        member, email = self._who(values)
        before = self.seen.setdefault(member.user.pk if member else email.casefold(), number)
        if before != number:
            raise ValueError(
                _("Line %(n)d is about the same person. Leave one of them.") % {"n": before}
            )
        if member is None:
            self._invite(email, tiers)
        else:
            self._move(member, tiers)

    def _tiers(self, text: str) -> list[Tier]:
        found = []
        for name in filter(None, map(str.strip, text.split(BETWEEN))):
            spellings = (name, undefused(name), undefused(name).casefold(), name.casefold())
            tier = next((self.tiers[each] for each in spellings if each in self.tiers), None)
            if tier is None:
                named = {"name": name, "names": "; ".join(t.name for t in self.by_key.values())}
                if not self.tiers:
                    raise ValueError(
                        _("There is no tier “%(name)s”. Make it on the page first.") % named
                    )
                raise ValueError(
                    _(
                        "There is no tier “%(name)s”. Make it on the page first, or write one of "
                        "these: %(names)s."
                    )
                    % named
                )
            found.append(tier)
        return found

    def _who(self, values: Mapping[str, str]) -> tuple[Here | None, str]:
        """Return a member, or the address of somebody who isn't one."""
        login, email = values["login"], values["email"]
        if login:
            member = self.by_login.get(User.normalize_username(login))
            if member is None:
                raise ValueError(
                    _(
                        "Nobody here has the login “%(login)s”. Correct it; or leave it empty and "
                        "give an e-mail address, to invite them."
                    )
                    % {"login": login}
                )
            return member, email
        if not email:
            raise ValueError(_("Whom is it about? Give a login or an e-mail address."))
        try:
            ADDRESS.clean(email, None)
        except ValidationError as error:
            raise ValueError(
                _("“%(email)s” is no e-mail address. Correct it.") % {"email": email}
            ) from error
        having = self.by_email.get(email.casefold(), [])
        if len(having) > 1:
            raise ValueError(_("Several members have this address. Give the login."))
        return (having[0] if having else None), email

    def _move(self, member: Here, tiers: Collection[Tier]) -> None:
        wanted = {tier.pk for tier in tiers}
        enters = self._named(wanted - member.tiers)
        leaves = self._named(member.tiers - wanted)
        if enters or leaves:
            self.plan.moves.append(Move(member.user, enters, leaves))
        else:
            self.plan.unchanged += 1

    def _named(self, keys: Iterable[int]) -> tuple[Tier, ...]:
        return tuple(sorted((self.by_key[key] for key in keys), key=lambda tier: tier.name))

    def _invite(self, email: str, tiers: Collection[Tier]) -> None:
        if not tiers:
            raise ValueError(
                _("Nobody here has this address. Name a tier, to invite them into it.")
            )
        new = [tier for tier in tiers if (email.casefold(), tier.pk) not in self.invited]
        self.plan.invites += [Invite(email, tier) for tier in dict.fromkeys(new)]
        self.plan.unchanged += not new


@transaction.atomic
def carry_out(space: Space, found: Plan, *, by: User, now: datetime) -> None:
    """Do all of a plan, or nothing. Raises `tries.TooOften`, `invitations.TierGone`."""
    people = [move.user.pk for move in found.moves]
    with changing(Scope(people=people), Act(by=by, now=now, answer=KEPT)):
        moves = found.moves
        there = lock_tiers([tier for move in moves for tier in (*move.leaves, *move.enters)])
        for move in moves:
            left = [tier.pk for tier in move.leaves]
            TierMember.objects.filter(user=move.user, tier__in=left).delete()
        entered = [(move.user.pk, tier.pk) for move in moves for tier in move.enters]
        put_in([(user, tier) for user, tier in entered if tier in there])
    for invite in found.invites:
        invitations.invite(
            invite.email, role="MEMBER", space=space, tier=invite.tier, by=by, now=now
        )
