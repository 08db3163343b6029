# syntax=docker/dockerfile:1
# One image for web, worker and commands. `make container` lints this and runs its steps here.

FROM python:3.13-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.txt ./
# What was locked, and nothing that has another hash.
RUN python -m pip --python /venv/bin/python install --no-compile --require-hashes -r requirements.txt
COPY manage.py ./
COPY scripts/messages.py scripts/messages.py
COPY accounts accounts
COPY spaces spaces
COPY bookings bookings
COPY notifications notifications
COPY config config
COPY locale locale
COPY static static
COPY templates templates
RUN /venv/bin/python scripts/messages.py compile
# Nothing is signed while files are collected.
RUN SECRET_KEY=only-for-this-step /venv/bin/python manage.py collectstatic --no-input --verbosity 0
# Tests stay behind; the rest is compiled once, since nothing can be written later.
RUN find . -type d -name tests -prune -exec rm -r {} + && /venv/bin/python -m compileall -q . /venv

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Mesto" org.opencontainers.image.licenses="MIT"
# pg_dump and pg_restore, for `manage.py backup`: as new as the server in compose.yaml.
RUN apt-get update \
    && apt-get install --no-install-recommends -y postgresql-client-17=17.* \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin mesto
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ENV_FILE=/dev/null \
    DEBUG=false PORT=8000
# Nothing of ours belongs to whom the processes run as, and they write to /tmp and /dev/shm only.
USER 10001
EXPOSE 8000
# The process answers within three seconds, whatever the database does.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
