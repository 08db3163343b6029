"""The image and its neighbours, as far as they can be read without an engine."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from scripts import composed, container, coverage_gate

pytestmark = pytest.mark.any_database

BASE = Path(settings.BASE_DIR)
STEPS = list(container.instructions((BASE / "Dockerfile").read_text()))


def copied():
    for name, words in STEPS:
        if name == "COPY" and not words.startswith("--from"):
            yield words.split()[0]


def test_the_image_has_every_app_and_no_tests():
    apps = {
        app.partition(".")[0]
        for app in settings.INSTALLED_APPS
        if (BASE / app.partition(".")[0]).is_dir()
    }
    assert apps <= set(copied())
    assert any("-name tests" in words for name, words in STEPS if name == "RUN")


def test_what_is_copied_is_there_and_sent_to_the_builder():
    sent = re.findall(r"^!(.+)$", (BASE / ".dockerignore").read_text(), re.MULTILINE)
    assert sorted(copied()) == sorted(sent)
    assert all((BASE / each).exists() for each in sent)


def test_it_runs_as_nobody_of_note_and_says_whether_it_is_well():
    names = dict(STEPS)
    assert names["USER"] == "10001"
    assert "/healthz" in names["HEALTHCHECK"]
    assert names["CMD"] == '["gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]'


def test_compose_and_render_migrate_before_they_serve():
    compose = yaml.safe_load((BASE / "compose.yaml").read_text())["services"]
    for name in ("web", "worker", "migrate"):
        assert compose[name]["read_only"] is True
        assert compose[name]["cap_drop"] == ["ALL"]
    for name in ("web", "worker"):
        assert compose[name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }
    services = {
        s["name"]: s for s in yaml.safe_load((BASE / "render.yaml").read_text())["services"]
    }
    assert services["mesto"]["preDeployCommand"] == "python manage.py migrate --no-input"
    assert services["mesto"]["healthCheckPath"] == "/readyz"


def test_variables_of_compose_are_filled_in_as_compose_does():
    given = {"NAME": "book"}
    assert composed.filled("${NAME}.${ZONE:-example}.org", given) == "book.example.org"
    with pytest.raises(composed.Wrong, match="KEY is missing: a long text"):
        composed.filled("${KEY:?a long text}", given)


@pytest.mark.parametrize("path", sorted((BASE / ".github").rglob("*.yml")), ids=lambda p: p.name)
def test_workflows_can_be_read(path):
    found = yaml.safe_load(path.read_text())
    for job in found.get("jobs", {}).values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)


def test_coverage_may_not_fall(tmp_path):
    now, before = tmp_path / "now.json", tmp_path / "kept/before.json"
    for percent, code in [(90, 0), (89.95, 0), (89.5, 1), (91, 0), (90.5, 1)]:
        now.write_text(f'{{"totals": {{"percent_covered": {percent}}}}}')
        assert coverage_gate.main(now, before) == code
