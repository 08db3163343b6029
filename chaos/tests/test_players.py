"""A parent that never waits for a process that is gone."""

import os
import signal
import time

import pytest

from chaos import players

pytestmark = pytest.mark.any_database


def play_well(say, number):
    say(number)


def wait_for_ever(say, number):
    say(number)
    time.sleep(3600)


def play(say, number):
    """The second dies; the others wait for it."""
    say(number)
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(3600)


def play_wrong(say, number):
    raise SystemExit(number)


def test_what_all_say_is_returned():
    said, gone = players.play(play_well, [(1,), (2,), (3,)])
    assert (sorted(said), gone) == ([1, 2, 3], [])


def test_a_killed_player_ends_the_game():
    said, gone = players.play(play, [(1,), (2,), (3,)])
    assert gone == ["player 2 ended with -9"]
    assert 2 in said


def test_a_player_who_fails_ends_the_game():
    assert players.play(play_wrong, [(7,)]) == ([], ["player 1 ended with 7"])


def test_silence_ends_the_game():
    _said, gone = players.play(wait_for_ever, [(1,)], silence=3)
    assert gone == ["nobody said anything for 3 s"]
