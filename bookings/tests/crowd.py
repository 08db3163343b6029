"""People who click at the same moment, over real connections to a live server."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
from django.db import connection, connections
from django.test import Client
from django.test.testcases import LiveServerThread

from accounts.factories import UserFactory
from accounts.models import User
from config.tests import http

# A crowd connects at once; the live server would turn away the eleventh.
LiveServerThread.server_class.request_queue_size = 128

TOKEN = "a" * 32  # Django takes a plain secret for its own masked token


class Crowd:
    """Signed-in members, each with a connection of their own."""

    def __init__(self, url: str, size: int) -> None:
        self.members = [UserFactory.create(username=f"crowd{n}") for n in range(size)]
        self.browsers = [browser(url, member) for member in self.members]
        self._pool = ThreadPoolExecutor(size)

    def book(self, wishes: Sequence[dict[str, object]]) -> list[httpx.Response]:
        """Post one wish per member, all at once."""
        return self.post([("/bookings/", wish) for wish in wishes])

    def post(self, forms: Sequence[tuple[str, dict[str, object]]]) -> list[httpx.Response]:
        start = threading.Barrier(len(forms))

        def send(browser: httpx.Client, path: str, wish: dict[str, object]) -> httpx.Response:
            start.wait()
            return browser.post(path, data={"csrfmiddlewaretoken": TOKEN, **wish})

        sent = [
            self._pool.submit(send, browser, path, form)
            for browser, (path, form) in zip(self.browsers, forms, strict=False)
        ]
        return [future.result() for future in sent]

    def close(self) -> None:
        self._pool.shutdown()
        for each in self.browsers:
            each.close()


def browser(url: str, member: User) -> httpx.Client:
    session = Client()
    session.force_login(member)
    cookies = {"sessionid": session.cookies["sessionid"].value, "csrftoken": TOKEN}
    return http.client(url, cookies=cookies)


def wish(place: object, starts: str, ends: str) -> dict[str, object]:
    """Return the plain fields of the book form; times are local at the space."""
    return {
        "place": place.code,
        "starts_at": starts,
        "ends_at": ends,
        "party_size": 1,
        "request_key": uuid4(),
    }


class Together:
    """Threads that each keep their database connection from one round to the next."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool = ThreadPoolExecutor(size)

    def at_once(self, *calls: Callable[[], object]) -> list[object]:
        """Run each call in a thread, all at once; return results and exceptions in order."""
        start = threading.Barrier(len(calls))

        def run(call: Callable[[], object]) -> object:
            connection.ensure_connection()  # opening one takes longer than the race
            start.wait()
            try:
                return call()
            except Exception as error:  # the test checks it
                return error

        return list(self._pool.map(run, calls))

    def close(self) -> None:
        self.at_once(*[connections.close_all] * self.size)
        self._pool.shutdown()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run calls in separate threads, all at once; return results and exceptions in order."""
    threads = Together(len(calls))
    try:
        return threads.at_once(*calls)
    finally:
        threads.close()
