"""How gunicorn serves: `gunicorn -c config/gunicorn.py config.wsgi`."""

import gc
import os
import tempfile
from pathlib import Path
from typing import Any

from config.given import Given
from config.watching import processes
from config.watching.logs import configuration

env = Given.read()

# A platform that sets PORT sends requests from outside; without it, we run on someone's desk.
port = env.int("PORT")
host = env.str("LISTEN", otherwise="0.0.0.0" if env.has("PORT") else "127.0.0.1")  # noqa: S104  # a container's
bind = f"{host}:{port}"

# One request per process: measured under load, threads have a longer tail. More workers than a
# few per core wait for the database, and each holds a connection to it.
worker_class = "config.worker.Worker"
workers = env.int("WEB_CONCURRENCY", otherwise=min(2 * (os.cpu_count() or 1) + 1, 9))
os.environ["WEB_CONCURRENCY"] = str(workers)  # the settings use it

os.environ["SERVING"] = "true"  # requests don't wait long for the database

# A name server that is silent would hold a request up for 10 to 30 seconds (resolv.conf(5)).
os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")

# The application is loaded once, before the fork: workers share its memory, and an error in it
# is shown once. Nothing may open a connection or start a thread at import time; Django opens its
# connections (and psycopg its pool) at the first query, inside the worker.
preload_app = True

timeout = 30  # seconds without a heartbeat before the worker is replaced
graceful_timeout = 20  # seconds for requests in progress when it is told to stop
# How long to go on serving, but not ready, after SIGTERM: a balancer has to notice first.
drain_seconds = env.float("DRAIN_SECONDS")
# The workers' heartbeat is a file; on a slow disk it would look like a hung worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # in memory, for heartbeats

# Where the workers count, for /metrics: also in memory.
processes.make(Path(worker_tmp_dir or tempfile.gettempdir()))

# One place decides whose forwarded headers to believe: TRUSTED_PROXIES in the settings.
forwarded_allow_ips = ""

# The site logs each request itself, by its route: an address may hold what opens a door.
logger_class = "config.watching.gunicorn_log.Logger"
logconfig_dict = configuration(env.str("LOG_FORMAT"), is_debug=env.bool("DEBUG"))
control_socket_disable = True
proc_name = "mesto"


def on_starting(server: Any) -> None:
    from config import draining

    draining.install(server, drain_seconds)


def child_exit(server: Any, worker: Any) -> None:
    processes.gather(worker.pid)


def on_exit(server: Any) -> None:
    processes.remove()


def pre_fork(server: Any, worker: Any) -> None:
    """Let collectors skip what the application was loaded with: it stays to the end anyway.

    A full collection would stop a worker for 50 ms, and write to the memory that workers share.
    """
    gc.collect()
    gc.freeze()
