"""A complete tour of the API: sign in, find, book, read, move, cancel, list.

It knows only the site's address; it reads where the operations are, and what goes where in a
request, in the site's own OpenAPI document. All it needs is httpx:

    python examples/api_client.py http://127.0.0.1:8000 member mesto-demo
"""

import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

DESCRIPTION = "/api/v1/openapi.json"


class Problem(Exception):
    """The API refused: `document` says why, its `code` is for programs."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(f"{document['code']}: {document['detail']}")
        self.document = document


class Api:
    """Calls operations by their operationId."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        paths = http.get(DESCRIPTION).raise_for_status().json()["paths"]
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in paths.items()
            for method, operation in methods.items()
        }

    def call(self, name: str, body: Any = None, **parameters: Any) -> Any:
        """Send a request; parameters go where the document says: path, query or header."""
        method, path, operation = self.operations[name]
        sent: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
        where = {found["name"]: found["in"] for found in operation["parameters"]}
        for parameter, value in parameters.items():
            sent[where[parameter]][parameter] = value
        answer = self.http.request(
            method,
            path.format(**sent["path"]),
            params=sent["query"],
            headers=sent["header"],
            json=body,
        )
        if answer.headers["Content-Type"] == "application/problem+json":
            raise Problem(answer.json())
        return answer.json()

    def sign_in(self, login: str, password: str) -> None:
        answer = self.call("createToken", {"username": login, "password": password})
        self.http.headers["Authorization"] = f"Bearer {answer['token']}"

    def all(self, name: str, **parameters: Any) -> Iterator[Any]:
        """Read a list to its end, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.call(name, cursor=cursor, **parameters)
            yield from page["items"]
            cursor = page["next_cursor"]


def free_times(api: Api) -> Iterator[dict[str, Any]]:
    """Yield the body of a booking of two hours for each place and day on which it is free."""
    today = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0)
    for space in api.all("listSpaces"):
        for days in range(1, 8):
            starts_at = today + timedelta(days=days)
            ends_at = starts_at + timedelta(hours=2)
            times = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
            found = api.call("getAvailability", slug=space["slug"], **times)
            for place in found["free_places"]:
                yield {"place": place["code"], **times}


def say(what: str, booking: dict[str, Any]) -> None:
    print(f"{what:<9} {booking['place']['name']}, {booking['starts_at']}, {booking['state']}")


def main(site: str, login: str, password: str) -> None:
    with httpx.Client(base_url=site, timeout=30) as http:
        api = Api(http)
        api.sign_in(login, password)

        free = free_times(api)
        key = str(uuid.uuid4())  # if the answer is lost, the same request may be sent again
        booking = api.call("createBooking", next(free), **{"Idempotency-Key": key})
        code = booking["code"]
        say("Booked", booking)
        say("Read", api.call("getBooking", code=code))
        say("Moved", api.call("rescheduleBooking", next(free), code=code))
        say("Cancelled", api.call("cancelBooking", code=code))
        for booking in api.all("listBookings", mine=True, limit=20):
            say("Listed", booking)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (Problem, httpx.HTTPError) as error:
        sys.exit(str(error))
