"""Say in a sentence that a port is taken: check_port.py HOST PORT."""

import os
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
try:
    socket.create_server((host, port)).close()
except OSError as error:
    reason = os.strerror(error.errno or 0)
    sys.exit(f"Can't listen on {host}:{port}: {reason}. Elsewhere: PORT={port + 1} make run")
