"""The triggers are there after `migrate`, whatever was there before, and are missed when not."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from spaces import setups, triggers
from spaces.factories import OpeningHoursFactory, PlaceFactory, SpaceFactory
from spaces.models import Place, SetupStamp, Space

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
BEFORE, AFTER = "0003_grace_and_contact", "0004_setup_stamps"


def migrate(*args):
    call_command("migrate", *args, verbosity=0)


def there():
    """Return the names of all our triggers in the database, however it keeps them."""
    dialect = triggers.DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(dialect.NAMES)
        return sorted(name for (name,) in cursor.fetchall())


def drop(name):
    table = f"spaces_{name.removeprefix(triggers.PREFIX).rsplit('_', 2)[0]}"
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on}")


def as_of(migration, model):
    """Return a model as it was then: the table may have lost the columns of today."""
    then = MigrationLoader(connection).project_state([("spaces", migration)])
    return then.apps.get_model("spaces", model.__name__)


def is_watched():
    """Tell whether changes are seen; those of every kind are in test_setup_changes."""
    hours = OpeningHoursFactory.create()
    before = setups.current(hours.space.pk)
    hours.delete()
    after = setups.current(hours.space.pk)
    return before.stamp != after.stamp and after.venue((), NOON).hours == ()


@pytest.fixture
def whole():
    """Leave the database as it was, whatever happens to the test."""
    yield
    migrate()
    assert triggers.missing(connection) == []


def test_backwards_and_forwards_with_data(whole):
    old = PlaceFactory.create(name="before").space
    migrate("spaces", BEFORE)
    assert there() == []
    assert "spaces_setupstamp" not in connection.introspection.table_names()
    Place.objects.update(name="changed meanwhile")  # nothing writes to the table that is gone
    new = as_of(BEFORE, Space).objects.create(slug="new", name="New", kind=Space.Kind.RESTAURANT)
    migrate()
    assert ("spaces", AFTER) in MigrationRecorder(connection).applied_migrations()
    assert triggers.missing(connection) == []
    assert setups.current(old.pk).places[0].name == "changed meanwhile"
    assert {*SetupStamp.objects.values_list("space", flat=True)} == {old.pk, new.pk}
    assert is_watched()


@pytest.mark.parametrize("name", ["setup_place_update", "setup_closure_delete"])
def test_a_missing_one_is_reported_and_migrate_puts_it_back(whole, name):
    space = PlaceFactory.create(name="before").space
    kept = setups.current(space.pk)
    [name] = [each for each in there() if each.startswith(f"{name}_")]
    drop(name)
    Place.objects.update(name="unseen" if "place" in name else "seen")
    said = StringIO()
    with pytest.raises(CommandError, match="violations: 1"):
        call_command("check_bookings", stdout=said)
    assert f"set-up: {name}: this trigger is missing: run manage.py migrate" in said.getvalue()
    migrate()
    assert setups.current(space.pk).stamp != kept.stamp
    assert setups.current(space.pk).places[0].name == Place.objects.get().name
    call_command("check_bookings", stdout=StringIO())


def test_an_outdated_one_is_replaced(whole, monkeypatch):
    names = there()
    dialect = triggers.DIALECTS[connection.vendor]
    old = "lower(hex(" if connection.vendor == "sqlite" else "gen_random_uuid()::text"
    body = "BODY" if connection.vendor == "sqlite" else "FUNCTION"
    new = "upper(hex(" if connection.vendor == "sqlite" else "upper(gen_random_uuid()::text)"
    with monkeypatch.context() as patch:
        patch.setattr(type(dialect), body, getattr(dialect, body).replace(old, new))
        assert len(triggers.missing(connection)) == len(names)
        migrate()
        assert triggers.missing(connection) == []
    assert len(triggers.missing(connection)) == len(names)
    assert {*there()}.isdisjoint(names)
    assert len(there()) == len(names)
    stamp = SetupStamp.objects.get(space=SpaceFactory.create()).stamp
    assert stamp == stamp.upper() != stamp.lower()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite can't switch them off.")
@pytest.mark.parametrize("state", ["DISABLE", "ENABLE REPLICA"])
def test_one_that_is_switched_off_is_missing(whole, state):
    [name] = [each for each in there() if each.startswith("setup_place_update_")]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE spaces_place {state} TRIGGER {name}")
    assert triggers.missing(connection) == [name]


@pytest.mark.parametrize("model", [Space, Place])
def test_a_migration_may_replace_a_table(whole, model):
    """On SQLite nearly every one does: the triggers would name a table that is gone."""
    space = PlaceFactory.create(name="before").space
    kept = setups.current(space.pk)
    field = model._meta.get_field("name")
    changed = type(field)(max_length=150)
    changed.set_attributes_from_name("name")
    triggers.before_migrating(using="default", plan=["a migration"])
    with connection.schema_editor() as editor:
        editor.alter_field(model, field, changed)
        editor.alter_field(model, changed, field)
    Place.objects.update(name="a data migration")
    triggers.after_migrating(using="default")
    assert triggers.missing(connection) == []
    assert setups.current(space.pk).stamp != kept.stamp
    assert setups.current(space.pk).places[0].name == "a data migration"
    assert is_watched()


def test_without_triggers_nothing_is_kept(whole):
    space = PlaceFactory.create().space
    triggers.remove(connection)
    for number in range(3):
        Place.objects.update(number=number)
        assert setups.current(space.pk).places[0].number == number
