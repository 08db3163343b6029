"""Whose space a staff page is about: its own staff find it, for everybody else there is none."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import User
from spaces import setups
from spaces.models import Space
from spaces.setups import Setup


def setup_run_by(user: User, slug: str) -> Setup:
    """Return the set-up of a space whose day this person runs. Raises Http404.

    One statement, unless the set-up has changed since this process read it.
    """
    rows = Space.objects.run_by(user).filter(slug=slug).values_list("pk", "stamps__stamp")
    found = list(rows)
    if not found:
        raise Http404
    try:
        return setups.stamped(found[0][0], (stamp for _key, stamp in found))
    except Space.DoesNotExist as error:
        raise Http404 from error


def space_run_by(user: User, slug: str) -> Space:
    """Return a space whose day this person runs. Shared with others: don't write to it.

    Raises Http404.
    """
    return setup_run_by(user, slug).space


def space_managed_by(user: User, slug: str) -> Space:
    """Return a space that this person sets up. Raises Http404, and PermissionDenied for hosts."""
    space = space_run_by(user, slug)
    if not Space.objects.managed_by(user).filter(pk=space.pk).exists():
        raise PermissionDenied
    return space
