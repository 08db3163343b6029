"""A run in order passes; whatever mistake the site makes is found in it."""

import pytest

from chaos.history import Act, Try
from chaos.judging.run import Run
from chaos.judging.tables import Tables
from chaos.tests.world import START, World
from chaos.verdict import judged

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("seed", range(40))
def test_a_run_in_order_passes(seed):
    verdict = judged(World(seed).live())
    assert verdict.wrong == {}
    assert verdict.is_good


def test_a_run_in_which_nobody_got_a_booking_is_not_good():
    refused = [Act("m1", "book", "api", [Try(START, 0.1, 409)], "REFUSED", key="k")]
    verdict = judged(Run.of(refused, Tables()))
    assert verdict.wrong == {}
    assert not verdict.is_good


BUGS = {
    "answer before commit": "lost",
    "another's key": "lost",
    "constraint dropped": "doubled",
    "key ignored": "doubled",
    "elsewhere": "altered",
    "amendment lost": "altered",
    "refused but kept": "refused",
    "refused but moved": "refused",
    "refused but cancelled": "refused",
    "not cancelled": "revived",
    "never decided": "undecided",
    "slots forgotten": "slots",
    "quota forgotten": "exceeded",
    "phantom": "impossible",
    "another's board": "misread",
    "old board": "misread",
    "cancelled on board": "misread",
    "relay skips": "unheard",
    "disorder": "unheard",
    "wrong word": "unheard",
    "made up": "unheard",
    "event forgotten": "contradicted",
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_mistake_of_the_site_is_found(bug):
    for seed in range(4):
        verdict = judged(World(seed, bug, acts=300).live())
        assert BUGS[bug] in verdict.wrong
        assert not verdict.is_good
