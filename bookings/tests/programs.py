"""Programs in tests: they use the API with somebody's token."""

import json
from datetime import datetime, timedelta

import httpx
from django.http import HttpResponse
from django.test import Client

from accounts.models import ApiToken, User
from accounts.tests.programs import issue
from config.tests import http
from spaces.models import Place

ROOT = "/api/v1"


def token(user: User, scope: str = ApiToken.Scope.WRITE, **changes: object) -> str:
    return issue(user, scope=scope, **changes)[1]


class Program:
    """Sends JSON; keywords are headers: `program.post("/bookings", wish, prefer="wait=1")`."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client = client
        self.headers = headers

    def send(self, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        content = b"" if body is None else json.dumps(body).encode()
        return self.send_raw(method, path, content, **headers)

    def send_raw(self, method: str, path: str, content: bytes, **headers: str) -> HttpResponse:
        return self.client.generic(
            method,
            ROOT + path,
            content,
            content_type="application/json",
            headers={**self.headers, **headers},
        )

    def get(self, path: str, query: object = None, **headers: str) -> HttpResponse:
        if query:
            path += f"?{httpx.QueryParams(query)}"
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.send("DELETE", path, **headers)


def program(user: User | None, scope: str = ApiToken.Scope.WRITE) -> Program:
    """Return a program that acts for somebody, or anonymously for None."""
    if user is None:
        return Program(Client())
    return Program(Client(), authorization=f"Bearer {token(user, scope)}")


def remote(url: str, user: User) -> httpx.Client:
    """Return the same over real HTTP."""
    headers = {"Authorization": f"Bearer {token(user)}"}
    return http.client(url + ROOT, headers=headers)


def wish(place: Place, starts_at: datetime, hours: float = 1, **more: object) -> dict[str, object]:
    """Return the body of a request for a place."""
    ends_at = starts_at + timedelta(hours=hours)
    return {
        "place": str(place.code),
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        **more,
    }


def codes(answer: HttpResponse) -> list[str]:
    """Return the broken rules that a problem document names."""
    return [problem["code"] for problem in answer.json()["problems"]]


def fields(answer: HttpResponse) -> list[str]:
    """Return the fields that a problem document names."""
    return [error["field"] for error in answer.json()["errors"]]


def kind(answer: HttpResponse) -> tuple[int, str]:
    """Return a problem document's status and code, after checking its form."""
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/api/v1/problems#{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return answer.status_code, problem["code"]
