import pytest
from django.contrib.auth.models import Permission

from accounts.factories import PASSWORD, StaffRoleFactory, UserFactory
from accounts.models import User

pytestmark = pytest.mark.any_database

PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def admin(client, db):
    admin = UserFactory(username="root", is_superuser=True)
    client.force_login(admin)
    return admin


@pytest.fixture
def spaces(db):
    return [StaffRoleFactory().space for _ in range(3)]


def test_people_are_found_by_login_name_and_email(client, admin):
    UserFactory(username="olga", name="Ольга", email="o@example.org")
    UserFactory(username="ivan")
    for words in ("olg", "Ольга", "o@exam"):
        html = client.get(PEOPLE, {"q": words}).content.decode()
        assert "olga" in html
        assert "ivan" not in html


def test_the_list_takes_as_many_queries_for_many_people_as_for_one(
    client, admin, django_assert_max_num_queries
):
    StaffRoleFactory.create_batch(2)
    with django_assert_max_num_queries(50) as one:
        client.get(PEOPLE)
    StaffRoleFactory.create_batch(20)
    with django_assert_max_num_queries(len(one)):
        client.get(PEOPLE)


def test_a_persons_page_takes_as_many_queries_for_many_roles_as_for_one(
    client, admin, django_assert_max_num_queries
):
    person = StaffRoleFactory().user
    with django_assert_max_num_queries(50) as one:
        client.get(f"{PEOPLE}{person.pk}/change/")
    StaffRoleFactory.create_batch(10, user=person)
    with django_assert_max_num_queries(len(one)):
        client.get(f"{PEOPLE}{person.pk}/change/")


@pytest.mark.parametrize("page", ["change", "password", "history"])
def test_every_page_of_a_person_opens(client, admin, page):
    assert client.get(f"{PEOPLE}{StaffRoleFactory().user.pk}/{page}/").status_code == 200


@pytest.mark.parametrize("page", ["accounts/user/add/", "auth/group/", "axes/accessattempt/"])
def test_the_other_pages_about_people_open(client, admin, page):
    assert client.get(f"/admin/{page}").status_code == 200


def test_a_superuser_gives_a_role_in_one_space(client, admin, spaces):
    person = UserFactory(username="olga")
    response = client.post(
        f"{PEOPLE}{person.pk}/change/",
        {
            "username": "olga",
            "is_active": "on",
            "staff_roles-TOTAL_FORMS": 1,
            "staff_roles-INITIAL_FORMS": 0,
            "staff_roles-0-space": spaces[1].pk,
            "staff_roles-0-role": "HOST",
        },
    )
    assert response.status_code == 302
    assert [(role.space, role.role) for role in person.staff_roles.all()] == [(spaces[1], "HOST")]


def test_a_superuser_adds_a_person(client, admin):
    data = {"username": "Olga", "password1": PASSWORD, "password2": PASSWORD}
    response = client.post(
        f"{PEOPLE}add/",
        data
        | {"usable_password": "true", "staff_roles-TOTAL_FORMS": 0, "staff_roles-INITIAL_FORMS": 0},
    )
    assert response.status_code == 302
    assert User.objects.get(username="olga").check_password(PASSWORD)


def test_a_login_taken_in_different_case_is_refused(client, admin):
    person = UserFactory(username="ivan")
    UserFactory(username="ольга")
    response = client.post(
        f"{PEOPLE}{person.pk}/change/",
        {"username": "ОЛЬГА", "staff_roles-TOTAL_FORMS": 0, "staff_roles-INITIAL_FORMS": 0},
    )
    assert response.context["adminform"].form.errors == {"username": ["This login is taken."]}


def test_nobody_deletes_a_person_in_the_admin(client, admin):
    person = UserFactory()
    assert client.post(f"{PEOPLE}{person.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(PEOPLE, {"action": "delete_selected", "_selected_action": person.pk, "post": "yes"})
    assert User.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize(
    "page",
    ["accounts/user/", "accounts/user/add/", "axes/accessattempt/", "auth/group/"],
)
def test_a_spaces_staff_see_no_people_in_the_admin(client, db, page):
    host = StaffRoleFactory(role="MANAGER").user
    client.force_login(host)
    assert client.get("/admin/").status_code == 200
    assert client.get(f"/admin/{page}").status_code == 403


def test_a_permission_given_by_mistake_shows_a_host_no_people(client, db):
    host = StaffRoleFactory().user
    host.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(host)
    assert client.get(PEOPLE).status_code == 403
    assert client.get(f"{PEOPLE}{host.pk}/change/").status_code == 403


def test_the_admin_has_no_sign_in_page_of_its_own(client, db):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"
    response = client.post("/admin/login/", {"username": "root", "password": "guess"})
    assert response.url == "/accounts/login/?next=%2Fadmin%2F"


def test_a_superuser_who_signs_in_reaches_the_admin_page_they_wanted(client, db):
    UserFactory(username="root", is_superuser=True)
    asked = client.get(PEOPLE, follow=True).redirect_chain[-1][0]
    response = client.post(asked, {"username": "root", "password": PASSWORD}, follow=True)
    assert response.redirect_chain == [(PEOPLE, 302)]
    assert response.status_code == 200


def test_a_member_may_not_enter_the_admin(client, alice):
    client.force_login(alice)
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/login/").status_code == 403
