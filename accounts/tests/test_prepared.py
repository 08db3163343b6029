"""Prepared statements answer as the ORM does, on either database."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, models, transaction
from django.db.models import Count, F, Value
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.lookalikes import look
from accounts.models import StaffRole, User
from accounts.prepared import (
    Insert,
    prepared,
    prepared_delete,
    prepared_update,
    prepared_with_constants,
)
from spaces.codes import new_code
from spaces.factories import PlaceFactory, SpaceFactory
from spaces.models import Closure, Place, Space

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 25, 6, 30, 0, 123456, tzinfo=UTC)


def test_models_come_with_their_relations_and_annotations():
    place = PlaceFactory(features=["WINDOW"], plan_x=3)
    PlaceFactory()

    def compose(code):
        found = Place.objects.select_related("space").filter(code=code)
        return found.annotate(twice=F("number") * 2)

    statement = prepared(compose, code=models.UUIDField())

    [expected] = compose(place.code)
    for _again in range(2):
        with CaptureQueriesContext(connection) as ran:
            [found] = statement.rows(code=place.code)
        assert len(ran) == 1
        assert (found, found.twice) == (expected, expected.twice)
        assert _columns(found) == _columns(expected)
        assert _columns(found.space) == _columns(expected.space)
        assert (found._state.db, found._state.adding) == ("default", False)
    with CaptureQueriesContext(connection) as ran:
        assert found.space.slug == place.space.slug
    assert len(ran) == 0


def _columns(instance):
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.fields}


def test_the_statement_is_the_one_that_the_orm_would_run():
    place = PlaceFactory()
    statement = prepared(lambda code: Place.objects.filter(code=code), code=models.UUIDField())

    with CaptureQueriesContext(connection) as ran:
        statement.rows(code=place.code)
        list(Place.objects.filter(code=place.code))

    assert ran[0]["sql"] == ran[1]["sql"]


def test_a_missing_row_is_no_row():
    statement = prepared(lambda pk: User.objects.filter(pk=pk)[:1], pk=models.BigAutoField())
    assert statement.rows(pk=0) == []
    assert statement.first(pk=0) is None


@pytest.mark.parametrize("flat", [False, True])
def test_values_are_converted_as_by_the_orm(flat):
    space = SpaceFactory()
    Closure.objects.create(space=space, starts_at=AT, ends_at=AT + timedelta(hours=1), reason="x")

    def compose(space, since):
        names = ["ends_at"] if flat else ["pk", "ends_at", "space__is_active"]
        found = Closure.objects.filter(space=space, ends_at__gt=since).order_by("pk")
        return found.values_list(*names, flat=flat)

    statement = prepared(compose, space=models.BigAutoField(), since=models.DateTimeField())

    assert statement.rows(space=space.pk, since=AT) == list(compose(space.pk, AT)) != []
    assert statement.rows(space=space.pk, since=AT + timedelta(hours=1)) == []


def test_groups_are_counted_as_by_the_orm():
    staff = StaffRoleFactory()
    StaffRoleFactory(user=staff.user, role=StaffRole.Role.MANAGER)

    def compose(user):
        found = StaffRole.objects.filter(user=user).order_by("role")
        return found.values_list("role").annotate(n=Count("pk"))

    statement = prepared(compose, user=models.BigAutoField())

    assert statement.rows(user=staff.user.pk) == list(compose(staff.user.pk)) != []


def test_a_list_may_have_any_length():
    people = [UserFactory() for _ in range(3)]
    statement = prepared(
        lambda pks: User.objects.filter(pk__in=pks).order_by("pk"), pks=[models.BigAutoField()]
    )
    for count in (3, 1, 2, 0, 3):
        assert statement.rows(pks=[user.pk for user in people[:count]]) == people[:count]


def test_none_is_refused_as_it_would_find_nothing():
    statement = prepared(lambda pk: User.objects.filter(pk=pk), pk=models.BigAutoField())
    with pytest.raises(ValueError, match="pk is None"):
        statement.rows(pk=None)


@pytest.mark.parametrize(
    "queryset",
    [
        User.objects.prefetch_related("groups"),
        User.objects.values("pk"),
        User.objects.fetch_mode(models.FETCH_PEERS),
    ],
)
def test_what_it_cannot_return_is_refused(queryset):
    with pytest.raises(TypeError, match="a prepared statement"):
        prepared(lambda: queryset).rows()


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_only_in_a_transaction():
    user = UserFactory()
    statement = prepared(
        lambda pk: User.objects.select_for_update(no_key=True).filter(pk=pk),
        pk=models.BigAutoField(),
    )
    with transaction.atomic():
        assert statement.rows(pk=user.pk) == [user]
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            statement.rows(pk=user.pk)


@pytest.mark.django_db(transaction=True)
def test_many_threads_share_a_statement():
    people = [UserFactory() for _ in range(4)]
    statement = prepared(lambda pk: User.objects.filter(pk=pk), pk=models.BigAutoField())
    found = {}

    def ask(user):
        found[user.pk] = [statement.rows(pk=user.pk) for _ in range(20)]
        connection.close()

    threads = [threading.Thread(target=ask, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {user.pk: [[user]] * 20 for user in people}


def test_an_update_changes_the_rows_that_match():
    place, other = PlaceFactory(), PlaceFactory()
    statement = prepared_update(
        lambda pk, features, plan_x: (
            Place.objects.filter(pk=pk).order_by("number"),
            {"features": features, "plan_x": plan_x, "capacity": F("capacity") + 1, "name": "New"},
        ),
        pk=models.BigAutoField(),
        features=Place._meta.get_field("features"),
        plan_x=models.IntegerField(),
    )

    assert statement.run(pk=place.pk, features=["WINDOW"], plan_x=7) == 1
    assert statement.run(pk=place.pk, features=["WINDOW"], plan_x=None) == 1
    assert statement.run(pk=0, features=[], plan_x=1) == 0

    place.refresh_from_db()
    assert (place.features, place.plan_x, place.capacity, place.name) == (
        ["WINDOW"],
        None,
        3,
        "New",
    )
    other.refresh_from_db()
    assert other.capacity == 1


def test_a_delete_removes_the_rows_that_match():
    roles = [StaffRoleFactory(), StaffRoleFactory()]
    statement = prepared_delete(
        lambda user: StaffRole.objects.filter(user=user), user=models.BigAutoField()
    )
    assert statement.run(user=roles[0].user_id) == 1
    assert statement.run(user=roles[0].user_id) == 0
    assert list(StaffRole.objects.all()) == [roles[1]]


def test_an_inserted_row_is_the_one_that_save_would_write():
    space = SpaceFactory()
    insert = Insert(Place)
    for number in (1, 2):
        place = Place(space=space, number=number, features=["WINDOW"])
        assert insert.one(place)
        assert (place._state.adding, place._state.db) == (False, "default")
        assert _columns(place) == _columns(Place.objects.get(pk=place.pk))

    with CaptureQueriesContext(connection) as ran:
        code = new_code()
        insert.one(Place(space=space, number=3, code=code))
        Place.objects.filter(number=3).delete()
        Place(space=space, number=3, code=code).save(force_insert=True)
    inserts = [query["sql"] for query in ran if query["sql"].startswith("INSERT")]
    # `save` also asks for what the database might have filled in; the instance has all of it.
    assert inserts[1].startswith(inserts[0])


def test_fields_that_fill_themselves_do_so():
    insert = Insert(User)
    insert.one(first := User(username="somebody"))
    insert.one(second := User(username="another"))
    for user in (first, second):
        assert User.objects.get(pk=user.pk).look == look(user.username)


def test_many_rows_are_inserted_at_once():
    space = SpaceFactory()
    insert = Insert(Place)
    for first, count in ((1, 1), (2, 3), (5, 200), (205, 3)):
        rows = [Place(space=space, number=number) for number in range(first, first + count)]
        assert insert.many(rows) == count
    assert list(space.places.order_by("number").values_list("number", flat=True)) == [
        *range(1, 208)
    ]
    assert insert.many([]) == 0


def test_conflicting_rows_are_left_out_and_the_others_inserted():
    space = SpaceFactory()
    Place.objects.create(space=space, number=2)
    insert = Insert(Place, ignore_conflicts=True)

    assert not insert.one(taken := Place(space=space, number=2))
    assert (taken.pk, taken._state.adding) == (None, True)
    assert insert.one(Place(space=space, number=1))
    assert insert.many([Place(space=space, number=number) for number in (2, 3, 4)]) == 2
    assert space.places.count() == 4


def test_an_insert_takes_values_only():
    with pytest.raises(TypeError, match="takes values"):
        Insert(Space).one(Space(slug="a", name=Value("b")))


def test_json_is_written_as_by_the_orm():
    said = ["й", 'quo"te', "per%cent"]
    Insert(Place).one(place := Place(space=SpaceFactory(), number=1, features=said))
    assert Place.objects.get(pk=place.pk).features == said


class TestConstants:
    """Written into the SQL, so that a plan for all values can use an index of some states."""

    @pytest.mark.parametrize("text", ["plain", "it's", "100 %s", "%%", 'a\\b "c"', "", "Ж", "--;"])
    def test_texts_stay_what_they_are(self, text):
        wanted = SpaceFactory(name=text)
        SpaceFactory(name="another")

        def compose(key):
            return Space.objects.filter(name=Value(text), pk=key).values_list("slug", Value(text))

        statement = prepared_with_constants(compose, key=models.BigIntegerField())

        assert statement.rows(key=wanted.pk) == list(compose(wanted.pk)) == [(wanted.slug, text)]

    def test_only_values_are_left_to_fill_in(self):
        statement = prepared_with_constants(
            lambda key: Place.objects.filter(kind__in=["ROOM", Place.Kind.DESK], pk=key, number=7),
            key=models.BigIntegerField(),
        )
        place = PlaceFactory(number=7)
        with CaptureQueriesContext(connection) as ran:
            assert statement.rows(key=place.pk) == [place]
        sql = next(iter(statement._plans.values())).text.sql
        assert "'DESK'" in sql
        assert "'ROOM'" in sql
        assert sql.count("%s") == 2
        assert len(ran) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL plans for all values")
def test_postgresql_never_plans_a_prepared_statement_for_one_value():
    with connection.cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_generic_plan",)
