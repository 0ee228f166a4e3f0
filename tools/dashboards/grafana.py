"""Dashboards as values, and Grafana's JSON of them.

A query may say `$in` where a selector's labels are: it becomes the choice that the variables of its row make.
"""

import dataclasses

_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH = 24


@dataclasses.dataclass(frozen=True)
class Query:
    """One query of a panel; `legend`: Grafana's template of a series' name."""
    expr: str
    legend: str = ""


@dataclasses.dataclass(frozen=True)
class Panel:
    """`about`: what one looks for here, shown by the panel's (i). `limit`: from this value on it is red."""
    title: str
    queries: tuple
    about: str
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    limit: float = None


@dataclasses.dataclass(frozen=True)
class Row:
    """A heading and its panels, from left to right. `choose`: the variables that choose the series of these panels."""
    title: str
    choose: tuple
    panels: tuple

    def choice(self, expr):
        """The query with the choice in place of `$in`. The cloud's targets have no label `node`."""
        cloud = 'node="",' if "instance" in self.choose else ""
        return expr.replace("$in", cloud + ",".join(f'{name}=~"${name}"' for name in self.choose))


@dataclasses.dataclass(frozen=True)
class Dashboard:
    """A page for one question."""
    name: str
    title: str
    about: str
    rows: tuple

    @property
    def variables(self):
        """Names from VARIABLES, as far as rows choose by them."""
        return [name for name in VARIABLES if any(name in row.choose for row in self.rows)]

    def queries(self):
        """[(panel's title, expression)] as Grafana has them."""
        return [(f"{row.title} / {panel.title}", row.choice(query.expr))
                for row in self.rows for panel in row.panels for query in panel.queries]


# What a variable offers: targets of the cloud have no label `node`, those of boxes have one.
VARIABLES = {
    "job": ("Service", 'label_values(skerry_build_info, job)'),
    "instance": ("Instance", 'label_values(skerry_build_info{node=""}, instance)'),
    "node": ("Node", 'label_values(skerry_build_info{node!=""}, node)'),
}


# ---- what queries are made of

def value(metric, by="", match="", how="sum"):
    """A gauge, summed up (or `how`) by labels."""
    labels = "$in" + (f",{match}" if match else "")
    group = f" by ({by})" if by else ""
    return Query(f"{how}{group} ({metric}{{{labels}}})", _legend(by))


def rate(metric, by="", match="", legend=None):
    """A counter's rate a second, summed up by labels."""
    labels = "$in" + (f",{match}" if match else "")
    group = f" by ({by})" if by else ""
    return Query(f"sum{group} (rate({metric}{{{labels}}}[$__rate_interval]))",
                 _legend(by) if legend is None else legend)


def quantile(q, metric, by="", match=""):
    """A quantile of a histogram."""
    labels = "$in" + (f",{match}" if match else "")
    group = ", ".join(filter(None, ["le", by]))
    return Query(f"histogram_quantile({q}, sum by ({group}) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))",
                 " ".join(filter(None, [f"p{round(q * 100)}", _legend(by)])))


def share(metric, by=""):
    """How much of its bound (<metric>_max) is used; of the fullest."""
    group = f" by ({by})" if by else ""
    return Query(f"max{group} ({metric}{{$in}} / {metric}_max{{$in}})", _legend(by))


def named(legend, query):
    """The query with another name for its series."""
    return dataclasses.replace(query, legend=legend)


def _legend(by):
    return " ".join("{{%s}}" % label.strip() for label in by.split(",")) if by else ""


# ---- panels

def graph(title, about, *queries, unit="short", **more):
    """Lines over time."""
    return Panel(title, queries, about, unit, **more)


def number(title, about, query, unit="short", width=4, **more):
    """The last value, large."""
    return Panel(title, (query,), about, unit, "stat", width, **more)


# ---- JSON

def render(dashboard):
    """The dashboard as Grafana imports it."""
    panels, y = [], 0
    for row in dashboard.rows:
        panels.append({"type": "row", "id": len(panels) + 1, "title": row.title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1}})
        y += 1
        x = tallest = 0
        for panel in row.panels:
            height = 4 if panel.kind == "stat" else 8
            if x + panel.width > _WIDTH:
                x, y, tallest = 0, y + tallest, 0
            panels.append(_panel(row, panel, len(panels) + 1, {"x": x, "y": y, "w": panel.width, "h": height}))
            x, tallest = x + panel.width, max(tallest, height)
        y += tallest
    return {
        "uid": f"skerry-{dashboard.name}", "title": dashboard.title, "description": dashboard.about,
        "tags": ["skerry"], "schemaVersion": 38, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "30s",
        "timezone": "browser", "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Skerry", "tags": ["skerry"], "asDropdown": True, "keepTime": True,
                   "includeVars": True}],
        "templating": {"list": [_source(), *[_variable(name) for name in dashboard.variables]]},
        "annotations": {"list": []}, "panels": panels,
    }


def _source():
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}


def _variable(name):
    label, query = VARIABLES[name]
    return {"name": name, "label": label, "type": "query", "datasource": _DATASOURCE, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}


def _panel(row, panel, number_, place):
    steps = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    custom = {"fillOpacity": 8, "lineWidth": 1, "showPoints": "never"} if panel.kind == "timeseries" else {}
    options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}} \
        if panel.kind == "timeseries" else {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    return {
        "type": panel.kind, "id": number_, "title": panel.title, "description": panel.about, "gridPos": place,
        "datasource": _DATASOURCE,
        "targets": [{"refId": chr(ord("A") + i), "datasource": _DATASOURCE, "expr": row.choice(query.expr),
                     "legendFormat": query.legend or "__auto"} for i, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": custom,
                                     "thresholds": {"mode": "absolute", "steps": steps}}, "overrides": []},
        "options": options,
    }
