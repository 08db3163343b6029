"""Say in a sentence that a port is taken: check_port.py HOST PORT."""

import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
try:
    socket.create_server((host, port)).close()
except OSError as error:
    sys.exit(
        f"Mesto can't listen on {host}:{port} ({error.strerror}). Try: PORT={port + 1} make run"
    )
