"""Bad input behind the question mark: every parameter that an address looks for has every value.

Which these are is seen, not written down: an address is asked once and what it looks up is noted.
"""

import re
from urllib.parse import urlencode

import pytest

from config.api import api
from config.tests.garbage import ASKED, GARBAGE, QUERIES, SCRIPT, WORST
from config.tests.test_bad_input import CLEAR
from config.tests.walk import at_every_address, rows, sessions  # noqa: F401 - fixtures
from config.tests.watching import looks

pytestmark = pytest.mark.django_db

#: Names in the links and the fields of a page.
ON_A_PAGE = re.compile(r"""(?:[?&]|&amp;|name=")(\w+)(?:=|")""")


@at_every_address
def test_a_bad_query(here):
    path, insider = here.path, here.come()
    for query in bad_queries(here):
        answer = insider.get(path, QUERY_STRING=query)
        assert answer.status_code in CLEAR, query
        assert "<script>alert" not in answer.text


def bad_queries(here):
    with looks() as seen:
        page = here.come().get(here.path)
    yield from queries({*ASKED, *seen}, [SCRIPT])
    of_admin = {name for name in seen if name.startswith("_") or name == "p"}  # on each page of it
    yield from queries(of_admin, ["\x00"])
    if here.name.startswith("api:"):
        yield from bad_queries_of_api(sorted(of_api(here.name)))
        return
    names = seen - of_admin - {"*", "body"}
    if "*" in seen:  # a list with its filters, or a form that can begin filled in
        names |= {"q", "o", "p", "all", *ON_A_PAGE.findall(page.text)} - {"_to_field"}
    if names:
        is_list = here.name.endswith("_changelist")  # each has filters of its own
        garbage = GARBAGE if is_list else here.share(GARBAGE, of=5, always=WORST)
        yield from queries(names, garbage)
        yield from here.share(QUERIES, of=3)


def bad_queries_of_api(names):
    """Send what it knows, once: other names are refused before any value is read.

    All together they are all parsed; alone, what is valid gets further than that.
    """
    for value in GARBAGE if names else ():
        yield urlencode(dict.fromkeys(names, value))
    for n, name in enumerate(names):
        for value in {*WORST, *GARBAGE[n % 4 :: 4]}:
            yield urlencode({name: value})
    yield from QUERIES if names else ()


def queries(names, values):
    for value in values if names else ():
        yield urlencode([(name, value) for name in sorted(names) for _ in range(2)])


def of_api(name):
    """Return the names that an operation of the API has in its query."""
    for path in api.get_openapi_schema()["paths"].values():
        for operation in path.values():
            operation_id = re.sub("[A-Z]", r"_\g<0>", operation["operationId"]).lower()
            if name == f"api:{operation_id}":
                return {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    return set()


def test_what_is_looked_for_is_found():
    """Without this the test above could be trying nothing."""
    assert {"limit", "cursor", "state"} <= of_api("api:list_bookings")
