"""A house in Moscow, and members with addresses."""

import pytest

from accounts.factories import UserFactory
from spaces.factories import open_space


@pytest.fixture
def tverskaya(db):
    return open_space(
        slug="tverskaya",
        name="Tverskaya Coworking",
        address="Tverskaya 1",
        time_zone="Europe/Moscow",
        places=12,
    )


@pytest.fixture
def desk_12(tverskaya):
    return tverskaya.places.get(number=12)


@pytest.fixture
def anna(db):
    """Reads English."""
    return UserFactory.create(username="anna", email="anna@example.org")


@pytest.fixture
def rita(db):
    """Reads Russian."""
    return UserFactory.create(username="rita", email="rita@example.org", language="ru")


@pytest.fixture
def site(settings):
    """Has an address of its own, and one that it writes from."""
    settings.SITE_URL = "https://mesto.example"
    settings.MAIL_FROM = "Mesto <mesto@mesto.example>"
