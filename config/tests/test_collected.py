"""A node whose static files weren't collected, or are another release's, gets no requests."""

import json

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.templatetags.static import static

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"


@pytest.fixture
def collected(settings, tmp_path):
    """Serve static files as in production; the manifest names those that are given."""

    def collect(paths):
        names = {"version": "1.1", "paths": {path: path for path in paths}, "hash": ""}
        (tmp_path / "staticfiles.json").write_text(json.dumps(names))
        settings.STATIC_ROOT = tmp_path
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}

    return collect


def every_file():
    return [path for finder in get_finders() for path, _ in finder.list([".*"])]


def test_all_is_collected(client, collected):
    collected(every_file())
    assert client.get("/readyz").status_code == 200


def test_what_we_leave_out_is_not_missed(client, collected):
    ours = [path for path in every_file() if "redoc" not in path]
    assert ours != every_file()
    collected(ours)
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("missing", ["css/mesto.css", "admin/css/base.css"])
def test_a_file_of_this_release_is_missing(client, collected, missing):
    collected(path for path in every_file() if path != missing)
    answer = client.get("/readyz")
    assert (answer.status_code, missing in answer.text) == (503, True)
    assert "run manage.py collectstatic" in answer.text
    assert client.get("/healthz").status_code == 200


def test_nothing_was_collected(client, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}
    assert client.get("/readyz").status_code == 503
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
        static("css/mesto.css")  # as pages do that aren't in memory


def test_sources_need_not_be_collected(client, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    assert client.get("/readyz").status_code == 200
