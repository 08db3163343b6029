"""How gunicorn serves: `gunicorn -c config/gunicorn.py config.wsgi`."""

import os

# A platform that sets PORT sends its requests from outside; without it, we are on someone's desk.
port = os.environ.get("PORT", "8000")
host = os.environ.get("LISTEN", "0.0.0.0" if "PORT" in os.environ else "127.0.0.1")  # noqa: S104
bind = f"{host}:{port}"

# One request a process: measured under load, threads have the longer tail. More workers than a
# few per core wait for the database, and each holds a connection to it.
worker_class = "sync"
workers = int(os.environ.get("WEB_CONCURRENCY") or min(2 * (os.cpu_count() or 1) + 1, 9))
os.environ["WEB_CONCURRENCY"] = str(workers)  # the settings reckon with it

os.environ["SERVING"] = "true"  # whoever waits for an answer doesn't wait long for the database

# The application is loaded once, before the fork: workers share its memory, and a mistake in it
# is shown once. Nothing at import may open a connection or start a thread; Django opens its
# connections (and psycopg its pool) at the first query, inside the worker.
preload_app = True

timeout = 30  # seconds without a sign of life, then the worker is replaced
graceful_timeout = 20  # for requests under way when it is told to stop
# The workers' heartbeat is a file; on a slow disk it would look like a hung worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# Whose forwarded headers to believe is decided in one place: TRUSTED_PROXIES in the settings.
forwarded_allow_ips = ""

accesslog = os.environ.get("ACCESS_LOG") or None  # "-" is the standard output
control_socket_disable = True
proc_name = "mesto"
