"""Two managers who save the same thing at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from spaces.factories import open_space
from spaces.models import Place


@pytest.mark.django_db(transaction=True)
def test_one_number_is_assigned_once_and_nobody_sees_a_server_error():
    space = open_space(places=0)
    boss = User.objects.create_superuser("boss", password="correct horse battery")
    fields = {"space": space.pk, "kind": "DESK", "capacity": 1, "is_bookable": "on"}
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(boss)
    for number in range(1, 6):
        start = Barrier(len(clients))

        def save(client, number=number, start=start):
            start.wait()
            try:
                answer = client.post("/admin/spaces/place/add/", {**fields, "number": number})
                return answer.status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(clients)) as pool:
            statuses = set(pool.map(save, clients))
        assert statuses <= {200, 302}
        assert Place.objects.filter(number=number).count() == 1
