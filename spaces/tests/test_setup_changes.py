"""Every change of a set-up is seen at the very next read, whatever the door, in every process.

The tables are those that the set-up is loaded from: one more fails here until its triggers exist.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import cycle, permutations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core import serializers
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.factories import TierFactory, UserFactory
from spaces import setups
from spaces.codes import new_code
from spaces.factories import (
    ClosureFactory,
    OpeningHoursFactory,
    PlaceFactory,
    PolicyFactory,
    ShiftFactory,
    SpaceFactory,
    TurnTimeFactory,
)
from spaces.loading import load
from spaces.models import Closure, OpeningHours, Place, Policy, Shift, Space, TurnTime
from spaces.setups import Setup
from spaces.tests.elsewhere import Elsewhere, content, seen
from spaces.tests.staff import filled_in, page
from spaces.triggers import TOUCHED

Parts = Place.parts.through
NOON = datetime(2030, 11, 27, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
FACTORIES = {
    Space: SpaceFactory,
    OpeningHours: OpeningHoursFactory,
    Place: PlaceFactory,
    Closure: ClosureFactory,
    Policy: PolicyFactory,
    Shift: ShiftFactory,
    TurnTime: TurnTimeFactory,
}
MODELS = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}

#: What else fields take than any text.
VALID = {
    "country": ["GB", "IT"],
    "time_zone": ["Asia/Tokyo", "UTC"],
    "phone": ["+44 20 7946 0018", ""],
    "email": ["desk@example.com", ""],
    "weekdays": ["45", "0123456"],
}

type Door = tuple[str, Callable[[], object]]


@pytest.mark.django_db
def test_every_table_of_the_set_up_has_triggers():
    with CaptureQueriesContext(connection) as captured:
        list(load([0]))
    [statement] = [query["sql"] for query in captured.captured_queries]
    tables = {*re.findall(r'"(\w+)"', statement)} & {*connection.introspection.table_names()}
    assert tables == {*TOUCHED, "spaces_setupstamp"}


@pytest.fixture(scope="module")
def elsewhere(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        process = Elsewhere()
    yield process
    process.stop()


class Stage:
    """Two spaces with a row of everything, and a third place that is a part of nothing."""

    def __init__(self) -> None:
        self.space = SpaceFactory.create(slug="loft", name="Loft")
        self.other = SpaceFactory.create(slug="inn", name="Inn")
        self.groups = [Group.objects.create(name=name) for name in ("Regulars", "Students")]
        self.places = [PlaceFactory.create(space=self.space) for _ in range(3)]
        self.places[0].parts.add(self.places[1])
        PlaceFactory.create(space=self.other)
        OpeningHoursFactory.create(space=self.space)
        ClosureFactory.create(space=self.space, place=self.places[0], starts_at=NOON)
        ShiftFactory.create_batch(2, space=self.space)
        TurnTimeFactory.create(space=self.space)
        self.tier = TierFactory.create(space=self.space)
        PolicyFactory.create(
            space=self.space,
            group=self.groups[0],
            step_minutes=30,
            max_no_shows=3,
            no_show_days=30,
        )
        boss = UserFactory.create(username="boss", is_superuser=True)
        self.boss = Client()
        self.boss.force_login(boss)

    def row(self, model):
        return model._default_manager.order_by("pk").first()

    def new(self, model):
        """Return a row that isn't stored yet."""
        if model is Parts:
            known = {*Parts.objects.values_list("from_place", "to_place")}
            pairs = permutations((place.pk for place in self.places), 2)
            whole, part = next(pair for pair in pairs if pair not in known)
            return Parts(from_place_id=whole, to_place_id=part)
        row = FACTORIES[model].build(**({} if model is Space else {"space": self.space}))
        if model is OpeningHours:
            row.weekday = OpeningHours.Weekday.SUNDAY
        return row

    def another(self, row, field):
        """Return a value that a row doesn't have yet in a field."""
        now = getattr(row, field.attname)
        if field.is_relation:
            rows = field.related_model._default_manager.exclude(pk=now).order_by("-pk")
            return rows.values_list("pk", flat=True)[0]
        if field.choices:
            return next(value for value, _ in field.flatchoices if value != now)
        if field.name in VALID:
            return next(value for value in VALID[field.name] if value != now)
        match field:
            case models.BooleanField():
                return not now
            case models.UUIDField():
                return new_code()
            case models.JSONField():
                return ["window"] if now != ["window"] else ["quiet"]
            case models.IntegerField():
                return (now or 0) + 15
            case models.DateTimeField():
                return now - QUARTER if field.name == "starts_at" else now + QUARTER
            case models.TimeField():
                return time(9) if now != time(9) else time(10)
        return f"{now}x"


def changes(stage: Stage, model) -> Iterator[Door]:
    """Change each column, and come through each door that changes a row."""

    def save(row, field, value):
        setattr(row, field.attname, value)
        row.save()

    def save_one_field(row, field, value):
        setattr(row, field.attname, value)
        row.save(update_fields=[field.name])

    def bulk_update(row, field, value):
        setattr(row, field.attname, value)
        model._default_manager.bulk_update([row], [field.name])

    def update(row, field, value):
        model._default_manager.filter(pk=row.pk).update(**{field.attname: value})

    def raw_sql(row, field, value):
        table, column = model._meta.db_table, field.column
        with connection.cursor() as cursor:
            prepared = field.get_db_prep_save(value, connection)
            cursor.execute(f'UPDATE {table} SET "{column}" = %s WHERE id = %s', [prepared, row.pk])

    doors = [save, save_one_field, bulk_update, update, raw_sql]
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    pairs = zip(cycle(fields), cycle(doors), strict=False)
    # Five and the number of fields may share a divisor: then the doors shift after each round.
    for n in range(max(len(fields), len(doors))):
        field, door = next(pairs)

        def change(field=field, door=door):
            if field.name == "tier":  # a rule is for a group, or for a tier
                model._default_manager.update(group=None)
            row = stage.row(model)
            door(row, field, stage.another(row, field))

        yield f"{n} {door.__name__} {field.name}", change


def additions_and_removals(stage: Stage, model) -> Iterator[Door]:
    table, manager = model._meta.db_table, model._default_manager

    def insert_raw():
        row = stage.new(model)
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
        names = ", ".join(f'"{field.column}"' for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def delete_raw():
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE id = %s", [last().pk])

    def last():
        return manager.order_by("pk").last()

    adding = {
        "save": lambda: stage.new(model).save(),
        "bulk_create": lambda: manager.bulk_create([stage.new(model)]),
        "raw insert": insert_raw,
    }
    removing = {
        "delete": lambda: last().delete(),
        "queryset delete": lambda: manager.filter(pk=last().pk).delete(),
        "raw delete": delete_raw,
    }
    for (add, adds), (remove, removes) in zip(adding.items(), removing.items(), strict=True):
        yield add, adds
        yield remove, removes


def special(stage: Stage, model, tmp_path) -> Iterator[Door]:
    """What only some tables have: forms, relations, cascades."""
    whole, part, third = stage.places
    if model is Space:
        yield "form", lambda: posted(stage, stage.space, name="Attic")
    elif model is OpeningHours:
        yield "form", lambda: posted(stage, stage.space, **{"opening_hours-0-opens_at": "09:15"})
    elif model is Policy:
        yield "form", lambda: posted(stage, stage.space, **{"policies-0-step_minutes": "45"})
        PolicyFactory.create(space=stage.space, group=stage.groups[1])
        yield "cascade", lambda: stage.groups[1].delete()
        PolicyFactory.create(space=stage.space, tier=stage.tier)
        yield "cascade from a tier", lambda: stage.tier.delete()
    elif model is Shift:
        yield "form", lambda: posted(stage, stage.space, **{"shifts-0-first_seating": "17:15"})
    elif model is TurnTime:
        yield "form", lambda: posted(stage, stage.space, **{"turn_times-0-minutes": "45"})
    elif model is Place:
        yield "form", lambda: posted(stage, third, capacity="7")
    elif model is Closure:
        yield "form", lambda: closed(stage)
        yield "delete form", lambda: reopened(stage)
        ClosureFactory.create(space=stage.space, place=third, starts_at=NOON)
        yield "cascade", lambda: third.delete()
    else:
        yield "form", lambda: posted(stage, whole, parts=[part.pk, third.pk])
        yield "remove", lambda: whole.parts.remove(third)
        yield "add", lambda: whole.parts.add(third)
        yield "set", lambda: whole.parts.set([part])
        yield "add from the other side", lambda: third.wholes.add(whole)
        yield "clear", lambda: whole.parts.clear()
        yield "through", lambda: Parts.objects.create(from_place=whole, to_place=third)
        yield "cascade", lambda: third.delete()
    if connection.vendor == "postgresql" and model not in (Space, Place, Shift):
        # So that there is something to remove.
        stage.new(model if model is not Parts else Closure).save()
        yield "truncate", lambda: truncate(model)


def posted(stage, row, **fields):
    data = filled_in(stage.boss, page(row)) | fields
    answer = stage.boss.post(page(row), data)
    assert answer.status_code == 302, answer.context["errors"]


def closed(stage):
    fields = {
        "what": "space loft",
        "first_day": f"{NOON:%Y-%m-%d}",
        "starts": "09:00",
        "ends": "10:00",
        "reason": "Repairs",
    }
    assert stage.boss.post("/admin/spaces/closure/add/", fields).status_code == 302


def reopened(stage):
    last = Closure.objects.order_by("pk").last()
    assert stage.boss.post(page(last, "delete"), {"post": "yes"}).status_code == 302


def truncate(model):
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {model._meta.db_table}")


def loaded(stage, model, tmp_path):
    """Let a command load a file with a row that is different."""
    row = stage.places[0] if model is Parts else stage.row(model)
    [written] = json.loads(serializers.serialize("json", [row]))
    if model is Parts:
        others = {place.pk for place in stage.places[1:]}
        now = {*row.parts.values_list("pk", flat=True)}
        written["fields"]["parts"] = sorted(others - now or others - {max(others)})
    else:
        field = next(
            field
            for field in model._meta.concrete_fields
            if not field.primary_key and not field.is_relation and not field.unique
        )
        written["fields"][field.name] = str(stage.another(row, field))
    file = tmp_path / "changed.json"
    file.write_text(json.dumps([written]))
    call_command("loaddata", str(file), verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", sorted(TOUCHED))
def test_a_change_is_seen_at_the_next_read_here_and_elsewhere(table, elsewhere, tmp_path):
    model, stage = MODELS[table], Stage()
    spaces = [stage.space.pk, stage.other.pk]
    before = {space: (setups.current(space).stamp, seen(space)) for space in spaces}

    def changes_of(name: str, change: Callable[[], object]) -> None:
        change()
        after = {}
        for space in spaces:
            stored = [content(Setup(each)) for each in load([space])] or ["gone"]
            assert [seen(space)] == stored == [elsewhere.sees(space)], name
            stamp = setups.current(space).stamp if stored != ["gone"] else ""
            after[space] = (stamp, *stored)
        assert model is Space or {*before.items()} != {*after.items()}, name
        for space in spaces:
            (stamp, was), (new_stamp, has) = before[space], after[space]
            assert (stamp != new_stamp) or was == has, name
        before.update(after)

    for name, change in changes(stage, model):
        changes_of(name, change)
    changes_of("loaddata", lambda: loaded(stage, model, tmp_path))
    for name, change in additions_and_removals(stage, model):
        changes_of(name, change)
    for name, change in special(stage, model, tmp_path):
        changes_of(name, change)


@pytest.mark.django_db(transaction=True)
def test_a_space_that_is_gone_is_gone_everywhere(elsewhere):
    space = OpeningHoursFactory.create().space
    key = space.pk
    assert elsewhere.sees(key) == seen(key) != "gone"
    space.delete()
    assert elsewhere.sees(key) == seen(key) == "gone"
