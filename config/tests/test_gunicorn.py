"""The web server's process is free again as soon as its answer is out."""

import socket
import subprocess
import sys

import pytest
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http import get_parser

from config.tests.processes import PATIENCE
from config.worker import Connection

pytestmark = pytest.mark.any_database

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(PATIENCE)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_all_views_are_loaded_before_workers_are_forked():
    program = "import sys, config.wsgi; print({'bookings.views', 'config.urls'} <= {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout == "True\n", told.stderr


def heard(ours, read):
    """Read a request as gunicorn does, and its body as far as the application wants it."""
    connection = Connection(ours)
    connection.request = next(get_parser(Config(), connection, ("127.0.0.1", 1)))
    connection.request.body.read(read)
    return connection


def test_nobody_waits_for_a_client_whose_request_was_read(pair):
    ours, theirs = pair
    theirs.sendall(POST + b"body")
    connection = heard(ours, read=4)
    util.close_graceful(connection, timeout=PATIENCE)
    assert connection.is_over
    assert theirs.recv(1) == b""


@pytest.mark.parametrize("sent", [b"", b"bo", b"body"])
def test_a_body_that_nobody_read_is_waited_for(pair, sent):
    ours, theirs = pair
    theirs.sendall(POST + sent)
    connection = heard(ours, read=0)
    theirs.close()
    util.close_graceful(connection, timeout=PATIENCE)
    assert not connection.is_over


def test_what_a_client_sends_too_much_is_waited_for(pair):
    ours, theirs = pair
    theirs.sendall(POST + b"body")
    connection = heard(ours, read=4)
    theirs.sendall(b"more")
    theirs.close()
    util.close_graceful(connection, timeout=PATIENCE)
    assert not connection.is_over
