"""What a query of ours names, without a parser of PromQL: names and selectors, and Grafana's variables in them."""

import re

# Of Prometheus itself, for every target.
BUILTIN = {"up"}
_SELECTOR = re.compile(r'(?<![\w"$:])((?:skerry|process)_[a-z0-9_]+|up\b)(\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})?')
_MATCHER = re.compile(r'(\w+)(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"')
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")


def selectors(query):
    """[(metric, the whole selector)] of each series selector."""
    return [(match.group(1), match.group(0)) for match in _SELECTOR.finditer(query)]


def without(selector, labels):
    """The selector without its matchers of these labels."""
    metric, brace, matchers = selector.partition("{")
    kept = [match[0] for match in _MATCHER.finditer(matchers) if match[1] not in labels]
    return metric + brace + ",".join(kept) + ("}" if brace else "")


def family(metric, families):
    """The family that a series' name belongs to (a histogram has three names); None if there is none."""
    if metric in families:
        return metric
    base = re.sub(r"_(bucket|sum|count)$", "", metric)
    return base if base in families else None


def variables(query):
    """Grafana's variables that a query uses."""
    return {a or b for a, b in _VARIABLE.findall(query)}


def fill(query, interval):
    """The query as Grafana sends it when all is chosen and a rate's interval is this."""
    return _VARIABLE.sub(lambda match: interval if (match[1] or match[2]) == "__rate_interval" else ".*", query)
