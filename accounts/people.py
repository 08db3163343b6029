"""Who sends a request: the person's row, with what every page needs to know, in one statement.

What goes with the row comes from the apps that know it. See also `accounts.sessions`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Exists,
    Model,
    OuterRef,
    QuerySet,
    StringAgg,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable, Subquery
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.joining import TierMember
from accounts.models import StaffRole, User
from accounts.prepared import prepared

type Now = Any  # a datetime, or where a prepared statement puts it
type Also = Callable[[OuterRef, Now], Combinable]


def _is_space_staff(person: OuterRef, now: Now) -> Combinable:
    return Exists(StaffRole.objects.filter(user=person))


def _is_space_manager(person: OuterRef, now: Now) -> Combinable:
    return Exists(StaffRole.objects.filter(user=person, role=StaffRole.Role.MANAGER))


def groups_of(person: OuterRef | Now) -> Combinable:
    """Return the keys of a person's groups, and of their tiers, negated, as text for `keys_in`.

    Both only say which rules bind whom. A group's key and a tier's may be the same number.
    """
    groups = _keys_as_text(User.groups.through.objects.filter(user=person), "group")
    tiers = _keys_as_text(TierMember.objects.filter(user=person), "tier", before="-")
    return Concat(groups, Value(","), tiers, output_field=TextField())


def _keys_as_text(mine: QuerySet[Any, Any], column: str, *, before: str = "") -> Combinable:
    key: Combinable = Cast(column, CharField())
    keys = StringAgg(Concat(Value(before), key) if before else key, Value(","))
    listed = mine.order_by().values("user").annotate(keys=keys).values("keys")
    return Coalesce(Subquery(listed), Value(""), output_field=TextField())


#: By attribute of `User`: an expression, given the person's key and the time.
ALSO: dict[str, Also] = {
    "is_space_staff": _is_space_staff,
    "is_space_manager": _is_space_manager,
}

GROUPS = "groups_of_person"


_PERSON = prepared(
    lambda pk, now: _with_what_goes_with("pk", User.objects.filter(pk=pk), now),
    pk=BigIntegerField(),
    now=DateTimeField(),
)


def find(pk: int, *, now: datetime) -> User | None:
    person = _PERSON.first(pk=pk, now=now)
    return take(person, person)


def with_person[M: Model](rows: QuerySet[M], path: str, now: Now) -> QuerySet[M]:
    """Let rows come with the person they point at along a path: `take` makes that whole."""
    return _with_what_goes_with(path, rows.select_related(path), now)


def _with_what_goes_with[M: Model](path: str, rows: QuerySet[M], now: Now) -> QuerySet[M]:
    person = OuterRef(path)
    also: dict[str, Any] = {name: make(person, now) for name, make in ALSO.items()}
    found: QuerySet[M] = rows.annotate(**also, **{GROUPS: groups_of(person)})
    return found


def take(row: Any, person: User | None) -> User | None:
    """Give a person what the row found besides."""
    if person is None:
        return None
    found = vars(row)
    for name in ALSO:
        setattr(person, name, found[name])
    person.group_ids = keys_in(found[GROUPS])
    return person


def keys_in(text: str) -> frozenset[int]:
    return frozenset(map(int, filter(None, text.split(","))))
