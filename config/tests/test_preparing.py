"""PostgreSQL plans the hot statements once per connection, and copes with migrations meanwhile."""

import pytest
from django.db import connection, models

from accounts.factories import UserFactory
from accounts.models import User
from accounts.prepared import prepared
from bookings.deciding.transactions import transactional

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'", reason="only PostgreSQL prepares statements"
    ),
]

PERSON = prepared(
    lambda pk: User.objects.filter(pk=pk).values_list("username", flat=True),
    pk=models.BigIntegerField(),
)


def prepared_on_the_server():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return cursor.fetchone()[0]


@pytest.fixture
def alice():
    connection.close()
    alice = UserFactory(username="alice")
    yield alice
    change_type(150)


def change_type(length):
    """Do what a migration of another release may do while we serve."""
    another = connection.copy()
    with another.cursor() as cursor:
        cursor.execute(f"ALTER TABLE accounts_user ALTER username TYPE varchar({length})")
    another.close()


def test_a_statement_is_prepared_once(alice):
    for _again in range(3):
        assert PERSON.rows(pk=alice.pk) == ["alice"]
    assert prepared_on_the_server() == 1


def test_nothing_is_prepared_where_a_pooler_would_lose_it(alice, settings):
    settings.PREPARED_STATEMENTS = False
    connection.connection.prepare_threshold = None
    try:
        for _again in range(3):
            assert PERSON.rows(pk=alice.pk) == ["alice"]
        assert prepared_on_the_server() == 0
    finally:
        connection.close()


def test_a_changed_column_is_read_anew(alice):
    PERSON.rows(pk=alice.pk)
    change_type(160)
    for _again in range(2):
        assert PERSON.rows(pk=alice.pk) == ["alice"]


def test_a_transaction_that_meets_a_changed_column_is_repeated(alice):
    PERSON.rows(pk=alice.pk)
    change_type(160)
    tries = []

    @transactional
    def read():
        tries.append(True)
        return PERSON.rows(pk=alice.pk)

    assert read() == ["alice"]
    assert len(tries) == 2
