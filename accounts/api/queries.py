"""What an operation doesn't take is refused: parameters it doesn't know or has twice, and bodies.

If ignored, it would filter nothing, or a reason would be lost, and the program would never find
out.
"""

from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from typing import cast

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.operation import Operation

from accounts.api.problems import INVALID, ApiProblem
from accounts.api.requests import ProgramRequest

MOST_NAMED = 10  # unknown names reported in one answer
LONGEST = 40  # characters of a name worth repeating
NOTHING = {b"", b"{}", b"[]", b"null"}  # some programs always send a body


def names_of(operation: Operation) -> list[str]:
    """Return the parameters that an operation takes in its URL."""
    queries = [m for m in operation.models if m.__ninja_param_source__ == "query"]
    return [name for model in queries for name in getattr(model, "__ninja_flatten_map__", ())]


def lists_of(operation: Operation) -> set[str]:
    """Return the parameters that can be repeated; of others, the last would win silently."""
    queries = [m for m in operation.models if m.__ninja_param_source__ == "query"]
    return {name for model in queries for name in model.__ninja_collection_fields__}


def noting[**P, R](run: Callable[P, R]) -> Callable[P, R]:
    """Record on each request what its operation takes. Decorates `Operation.run`."""
    operation: Operation = run.__self__  # type: ignore[attr-defined]  # it is a bound method
    known, lists = names_of(operation), lists_of(operation)
    takes_body = any(m.__ninja_param_source__ == "body" for m in operation.models)

    @wraps(run)
    def noted(*args: P.args, **kwargs: P.kwargs) -> R:
        request = cast(ProgramRequest, args[0])
        request.known_parameters, request.repeatable = known, lists
        request.takes_body = takes_body
        return run(*args, **kwargs)

    return noted


def require_known(request: HttpRequest) -> None:
    """Refuse parameters that the operation doesn't take. Raises ApiProblem."""
    known = cast(ProgramRequest, request).known_parameters
    unknown = [name for name in request.GET if name not in known]
    if not unknown:
        return
    errors = [
        {"field": f"query.{_legible(name)}", "message": _advice(name, known)}
        for name in unknown[:MOST_NAMED]
    ]
    raise ApiProblem(INVALID, errors[0]["message"], errors=errors)


def require_once(request: HttpRequest) -> None:
    """Refuse a repeated parameter that has one value. Raises ApiProblem."""
    repeatable = cast(ProgramRequest, request).repeatable
    twice = [name for name, values in request.GET.lists() if values[1:] and name not in repeatable]
    if not twice:
        return
    errors = [
        {
            "field": f"query.{name}",
            "message": _("“%(name)s” has one value: give it once.") % {"name": name},
        }
        for name in twice
    ]
    raise ApiProblem(INVALID, errors[0]["message"], errors=errors)


def require_no_body(request: HttpRequest) -> None:
    """Refuse a body that the operation doesn't take. Raises ApiProblem."""
    asked = cast(ProgramRequest, request)
    if asked.takes_body or asked.body.strip() in NOTHING:
        return
    words = _("This operation takes no body.")
    if known := asked.known_parameters:
        words += " " + _("Its parameters belong in the URL: %(names)s.") % {
            "names": ", ".join(known)
        }
    raise ApiProblem(INVALID, words, errors=[{"field": "body", "message": words}])


def _advice(name: str, known: list[str]) -> str:
    """Say that there is no such parameter, which one was probably meant, and which exist."""
    if not known:
        return _("“%(name)s” is unknown: this address takes no parameters.") % {
            "name": _legible(name)
        }
    by_plain = {_plain(one): one for one in known}
    words = _("“%(name)s” is unknown.") % {"name": _legible(name)}
    for near in get_close_matches(_plain(name), by_plain, n=1, cutoff=0.5):
        words += " " + _("Did you mean “%(name)s”?") % {"name": by_plain[near]}
    return words + " " + _("There are: %(names)s.") % {"names": ", ".join(known)}


def _plain(name: str) -> str:
    """Return a name without differences in spelling: `startsAt` is `starts_at`."""
    return "".join(filter(str.isalnum, name[:LONGEST])).lower()


def _legible(name: str) -> str:
    """Return a name that is valid in JSON and legible: it can be a lone surrogate."""
    return name[:LONGEST].encode(errors="replace").decode()
