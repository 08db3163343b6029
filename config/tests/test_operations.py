"""The operator's page, the alerts and the dashboard speak of the metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from config.watching import depths, metrics

pytestmark = pytest.mark.any_database

MONITORING = Path(settings.BASE_DIR) / "deploy/monitoring"
PAGE = (Path(settings.BASE_DIR) / "docs/operations.md").read_text()
ALERTS = yaml.safe_load((MONITORING / "alerts.yml").read_text())
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())

RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
EXISTING = {*metrics.names(), *depths.ABOUT}
#: What a histogram is made of.
PARTS = re.compile(r"_(bucket|sum|count)$")


def asked_for(expression):
    return {PARTS.sub("", name) for name in re.findall(r"\bmesto_\w+", expression)}


def test_the_page_lists_every_metric_and_no_other():
    listed = re.findall(r"^\| `(mesto_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(EXISTING)


def test_the_page_lists_the_labels():
    rows = dict(re.findall(r"^\| `(mesto_\w+)` \|([^|]*)\|", PAGE, re.MULTILINE))
    for counter in metrics.COUNTERS.values():
        labels = re.findall(r"`(\w+)`", rows[f"{counter._name}_total"])
        assert tuple(labels) == counter._labelnames


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert(rule):
    """It looks at what there is, and the page says what to do about it."""
    wanted = asked_for(rule["expr"])
    assert wanted <= EXISTING
    assert wanted or "up{" in rule["expr"]
    assert f"### {rule['alert']}\n" in PAGE
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_page_speaks_of_no_other_alert():
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_the_dashboard_shows_every_metric():
    shown = set()
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            shown |= asked_for(target["expr"])
    assert shown == EXISTING


@pytest.mark.parametrize("task", [("check", "alerts.yml"), ("test", "alerts_test.yml")])
def test_promtool_accepts_the_alerts(task):
    """They are well-formed; and what should fire, fires."""
    promtool = shutil.which("promtool") or pytest.skip("promtool is not installed")
    verb, name = task
    found = subprocess.run(
        [promtool, verb, "rules", MONITORING / name], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr
