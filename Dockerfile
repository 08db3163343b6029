# syntax=docker/dockerfile:1
# One image for web, worker and commands. `make container` lints this and runs its steps here.

FROM postgres:18-trixie AS postgres

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
# What no request needs stays behind: tests, stubs, sources of translations, languages that the site
# doesn't speak, names of towns for phone numbers, sources of what was collected. The rest is compiled
# once, since nothing can be written later.
RUN find . /venv -type d \( -name tests -o -name SelfTest \) -prune -exec rm -r {} + \
    && find . /venv \( -name '*.po' -o -name '*.pyi' \) -delete \
    && find /venv/lib/*/site-packages/django -name '*.mo' ! -path '*/en/*' ! -path '*/ru/*' -delete \
    && find /venv/lib/*/site-packages/babel/locale-data -name '*.dat' \
        ! -name 'root.dat' ! -name 'en*' ! -name 'ru*' -delete \
    && rm -r /venv/lib/*/site-packages/phonenumbers/geodata /venv/lib/*/site-packages/phonenumbers/carrierdata \
        /venv/lib/*/site-packages/ninja/static /venv/lib/*/site-packages/django/contrib/*/static \
    && /venv/bin/python -m compileall -q . /venv

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Mesto" org.opencontainers.image.licenses="MIT"
# pg_dump and pg_restore, for `manage.py backup`: of the newest PostgreSQL, since they read older ones too.
# Debian's package is older, and brings 50 MB of Perl.
COPY --from=postgres /usr/lib/postgresql/18/bin/pg_dump /usr/lib/postgresql/18/bin/pg_restore /usr/local/bin/
COPY --from=postgres /usr/lib/*-linux-gnu/libpq.so.5* /usr/local/lib/
RUN apt-get update \
    && apt-get install --no-install-recommends -y libgssapi-krb5-2=1.* libldap2=2.* \
    && rm -rf /var/lib/apt/lists/* \
    && ldconfig && pg_dump --version && pg_restore --version \
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
