"""Checks of dashboards, alerts and pages that need no running system; e2e/scenarios/test_prometheus.py has the rest."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import boards  # noqa: E402
import generate  # noqa: E402
import metric_docs  # noqa: E402
import promql  # noqa: E402

RULES = TOP / "charts/skerry-cloud/alerts/skerry.rules.yaml"
RULE_TESTS = HERE / "alerts.test.yaml"
CONFIG = TOP / "docker/compose/prometheus/prometheus.yml"
RUNBOOKS = TOP / "docs/ops/runbooks"
UNITS = {"short", "ops", "s", "bytes", "Bps", "percentunit"}  # Grafana's names.


def rules():
    """Every alert."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def metrics():
    """What docs/ops/metrics.md has; a test on a running system says that it is complete."""
    return metric_docs.read((TOP / "docs/ops/metrics.md").read_text())


def unknown(query, known):
    """Metrics of a query that there are not."""
    return [metric for metric, _ in promql.selectors(query)
            if metric not in promql.BUILTIN and promql.family(metric, known) is None]


def promtool(*arguments, cwd=None):
    """promtool, which must succeed."""
    done = subprocess.run(["promtool", *map(str, arguments)], text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, cwd=cwd)
    assert done.returncode == 0, done.stdout


def test_a_bound_stands_beside_what_it_bounds():
    known = metrics()
    bounds = [name for name in known if name.endswith("_bytes_max")]
    assert bounds
    for name in bounds:
        assert known[name].kind == known[name.removesuffix("_max")].kind == "gauge", name


# ---- dashboards

def test_the_json_is_that_of_the_source():
    there = {path.name: path.read_text() for path in generate.FOLDER.glob("*.json")}
    assert there == generate.files(), "run tools/dashboards/generate.py"


@pytest.mark.parametrize("dashboard", boards.ALL, ids=lambda dashboard: dashboard.name)
def test_queries_name_what_there_is(dashboard):
    known = metrics()
    for title, query in dashboard.queries():
        assert not unknown(query, known), title
        assert promql.selectors(query), title
        assert promql.variables(query) <= {*dashboard.variables, "__rate_interval"}, title
        assert "$in" not in re.sub(r"\$in\w", "", query), f"{title}: $in was not replaced"


@pytest.mark.parametrize("dashboard", boards.ALL, ids=lambda dashboard: dashboard.name)
def test_panels_say_what_they_are(dashboard):
    for row in dashboard.rows:
        titles = [panel.title for panel in row.panels]
        assert len(set(titles)) == len(titles), row.title
        for panel in row.panels:
            assert panel.unit in UNITS, panel.title
            assert panel.about.endswith("."), panel.title


# ---- alerts

def test_alerts_are_known_and_complete():
    known = metrics()
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        name = rule["alert"]
        assert not unknown(rule["expr"], known), name
        assert rule["for"] and rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"], name
        assert rule["annotations"]["runbook_url"] == f"docs/ops/runbooks/{name}.md"


def test_each_alert_has_a_page_and_each_page_an_alert():
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {rule["alert"] for rule in rules()}
    for path in RUNBOOKS.glob("*.md"):
        text = path.read_text()
        assert text.startswith(f"# {path.stem}\n"), path
        for part in ("**Means**", "**See**", "**Mend**"):
            assert part in text, f"{path} has no {part}"


def test_pages_name_metrics_and_files_that_exist():
    known = metrics()
    for path in [*RUNBOOKS.glob("*.md"), *(TOP / "docs/runbooks").glob("*.md")]:
        text = path.read_text()
        for metric in re.findall(r"\b(?:skerry|process)_[a-z0-9_]+", text):
            assert promql.family(metric, known), f"{path.name}: {metric}"
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_store_that_repairs_itself_is_on_the_page_and_in_the_alert():
    counters = {name for name in metrics() if name.endswith("_store_repairs_total")}
    page = (TOP / "docs/runbooks/damaged-store.md").read_text()
    assert set(re.findall(r"`(skerry_\w+_store_repairs_total)`", page)) == counters
    alert = next(rule for rule in rules() if rule["alert"] == "SkerryStoreRepaired")
    assert {metric for metric, _ in promql.selectors(alert["expr"])} == counters | {"process_start_time_seconds"}


def test_repairs_are_shown_as_they_stand():
    """They are counted before the first scrape: a second one, or that of a new pod, has no rate and no increase."""
    queries = [query for board in boards.ALL for _, query in board.queries() if "_store_repairs_total" in query]
    shown = {metric for query in queries for metric, _ in promql.selectors(query)}
    assert shown == {name for name in metrics() if name.endswith("_store_repairs_total")}
    assert not [query for query in queries if re.search(r"\b(rate|increase)\(", query)]


def test_promtool_accepts_configuration_and_rules(tmp_path):
    shutil.copy(CONFIG, tmp_path)
    shutil.copy(RULES, tmp_path)
    (tmp_path / "targets").mkdir()
    promtool("check", "config", tmp_path / CONFIG.name)
    promtool("check", "rules", RULES)


def test_promtool_tests_of_alerts_pass():
    promtool("test", "rules", RULE_TESTS.name, cwd=HERE)


def test_each_alert_is_seen_to_fire_and_not_to_fire():
    fires, quiet = set(), set()
    for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]:
        for check in test["promql_expr_test"]:
            for names in re.findall(r'alertname=~?"([^"]+)"', check["expr"]):
                (fires if check["exp_samples"] else quiet).update(names.split("|"))
    names = {rule["alert"] for rule in rules()}
    assert (fires, quiet) == (names, names)


# ---- the tools themselves

def test_selectors_are_found_with_their_labels():
    query = 'sum by (x) (rate(skerry_a_total{b="up{}",c=~"$d"}[5m])) / skerry_e + up{job="j"} > bool process_f'
    assert promql.selectors(query) == [("skerry_a_total", 'skerry_a_total{b="up{}",c=~"$d"}'), ("skerry_e", "skerry_e"),
                                       ("up", 'up{job="j"}'), ("process_f", "process_f")]
    assert promql.variables(query) == {"d"}
    assert promql.fill('rate(skerry_a{c=~"$d"}[$__rate_interval])', "1m") == 'rate(skerry_a{c=~".*"}[1m])'
    assert promql.without('skerry_a{code=~"5..",b="c"}', {"code"}) == 'skerry_a{b="c"}'
    assert promql.without("skerry_a", {"code"}) == "skerry_a"


def test_series_of_a_histogram_are_its_family():
    assert promql.family("skerry_a_bucket", {"skerry_a": None}) == "skerry_a"
    assert promql.family("skerry_a_total", {"skerry_a": None}) is None


EXPOSITION = """# HELP skerry_edged_pods Pods, by phase.
# TYPE skerry_edged_pods gauge
skerry_edged_pods{phase="Running"} 1
skerry_edged_pods{phase="Failed"} 0
# HELP skerry_kubeapi_request_seconds How long.
# TYPE skerry_kubeapi_request_seconds histogram
skerry_kubeapi_request_seconds_count{verb="get"} 0
skerry_kubeapi_request_seconds_bucket{verb="get",le="+Inf"} 0
"""


def test_the_page_says_what_is_exposed():
    found = metric_docs.merge([EXPOSITION, EXPOSITION.replace("Running", "Pending")])
    assert found["skerry_edged_pods"].labels == (("phase", ("Failed", "Pending", "Running")),)
    assert found["skerry_kubeapi_request_seconds"] == metric_docs.Metric("histogram", (("verb", ()),), "How long")
    assert metric_docs.read(metric_docs.render(found)) == found


def test_what_disagrees_or_has_no_owner_is_refused():
    with pytest.raises(ValueError):
        metric_docs.merge([EXPOSITION, EXPOSITION.replace("by phase", "by something else")])
    with pytest.raises(KeyError):
        metric_docs.render(metric_docs.merge([EXPOSITION.replace("edged", "new")]))
