"""Devices: what they report and are told, where it waits, what is refused; and users' messages."""

from grafana import Dashboard, Query, Row, graph, named, number, quantile, rate, value

_API = 'service=~"skerry.devicecontroller.*"'

DASHBOARD = Dashboard(
    "devices",
    "Skerry: devices",
    "Twins, mappers, readings, calls of methods, and messages by rules.",
    (
        Row(
            "On the boxes, now",
            ("node",),
            (
                number("Devices", "Bound to boxes that are scraped.", value("skerry_twin_devices")),
                number("Mappers", "Registered with twin-svc.", value("skerry_twin_mappers")),
                number("Mappers away", "Not there when they were called.", value("skerry_twin_mappers_away"), limit=1),
                number(
                    "Behind",
                    "Devices and models that a mapper has otherwise than is wanted.",
                    value("skerry_twin_mapper_behind"),
                    limit=1,
                ),
                number("Twins to report", "edgehub-svc does not have the newest.", value("skerry_twin_reports_due")),
                number(
                    "Readings lost in a day",
                    "Dropped before edgehub-svc had them.",
                    Query("sum(increase(skerry_twin_readings_dropped_total{$in}[1d]))"),
                    limit=1,
                ),
            ),
        ),
        Row(
            "Twins and mappers of the boxes",
            ("node",),
            (
                graph(
                    "Writes of twins",
                    "By mappers, MQTT clients and local programs.",
                    rate("skerry_twin_writes_total", by="result"),
                    named("conflicts", rate("skerry_twin_conflicts_total")),
                    unit="ops",
                ),
                graph(
                    "Reports of mappers",
                    "refused: the log of twin-svc names the device and why.",
                    rate("skerry_twin_mapper_reports_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "What mappers were told",
                    "away: nobody was there.",
                    rate("skerry_twin_mapper_calls_total", by="result"),
                    rate("skerry_twin_mapper_registrations_total", by="result", legend="registrations {{result}}"),
                    unit="ops",
                ),
                graph(
                    "Calls of methods", "On the boxes.", rate("skerry_twin_method_calls_total", by="result"), unit="ops"
                ),
                graph(
                    "Refused",
                    "Devices and models that can't be read, or don't suit each other.",
                    named("objects", rate("skerry_twin_objects_refused_total")),
                    named("devices", rate("skerry_twin_mapper_devices_refused_total")),
                    named("reports cut", rate("skerry_twin_reports_cut_total")),
                    unit="ops",
                ),
                graph(
                    "Commits",
                    "failed: disk full or broken.",
                    rate("skerry_twin_commits_total", by="result"),
                    named("mappers.db failed", rate("skerry_twin_mapper_store_failures_total")),
                    unit="ops",
                ),
                graph(
                    "Readings kept",
                    "On the boxes; the bound is a setting.",
                    value("skerry_twin_readings_bytes", by="node"),
                    unit="bytes",
                ),
                graph("Readings that wait", "For edgehub-svc.", value("skerry_twin_readings_unsent", by="node")),
                graph(
                    "Readings lost",
                    "full: the bound of bytes; disk_full; expired; refused by edgehub-svc.",
                    rate("skerry_twin_readings_dropped_total", by="reason"),
                    named("refused", rate("skerry_twin_readings_refused_total")),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Mappers' own view",
            ("node",),
            (
                graph(
                    "Devices",
                    "Online: those that answer.",
                    named("{{job}}", value("skerry_mapper_devices", by="job")),
                    named("{{job}} online", value("skerry_mapper_devices_online", by="job")),
                ),
                graph("Reads", "Of properties.", rate("skerry_mapper_reads_total", by="job,result"), unit="ops"),
                graph("Writes", "Of desired values.", rate("skerry_mapper_writes_total", by="job,result"), unit="ops"),
            ),
        ),
        Row(
            "In the cloud",
            ("instance",),
            (
                graph(
                    "Reports of twins",
                    "deferred: database or API are not there; rejected: never.",
                    rate("skerry_devicecontroller_reports_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "Readings stored",
                    "Telemetry; elsewhere: from a node that the device is not bound to.",
                    named("stored", rate("skerry_devicecontroller_readings_total")),
                    named("elsewhere", rate("skerry_devicecontroller_readings_elsewhere_total")),
                    rate("skerry_devicecontroller_stream_events_total", by="result", legend="events {{result}}"),
                    unit="ops",
                ),
                graph(
                    "DeviceStatus writes",
                    "The load on the Kubernetes API.",
                    named("writes", rate("skerry_devicecontroller_status_writes_total")),
                    named("manifests refused", rate("skerry_devicecontroller_devices_refused_total")),
                    unit="ops",
                ),
                graph(
                    "Forgotten for their age",
                    "Entries of history and telemetry.",
                    rate("skerry_devicecontroller_retention_dropped_total", by="kind"),
                    unit="ops",
                ),
                graph(
                    "Devices API",
                    "Calls by result.",
                    rate("skerry_rpc_server_handling_seconds_count", by="method,code", match=_API),
                    unit="ops",
                ),
                graph(
                    "Time of its calls",
                    "p95; CallMethod includes the way to the device and back.",
                    quantile(0.95, "skerry_rpc_server_handling_seconds", by="method", match=_API),
                    unit="s",
                ),
                graph(
                    "Calls of methods",
                    "full: too many under way.",
                    rate("skerry_device_api_method_calls_total", by="result"),
                    named("under way", value("skerry_device_api_method_calls")),
                ),
                graph(
                    "Watches",
                    "Open, and ended by reason.",
                    named("open", value("skerry_device_api_watchers")),
                    rate("skerry_device_api_watches_ended_total", by="reason"),
                ),
                graph(
                    "Conflicts and late history",
                    "Updates that were refused because somebody was first.",
                    named("conflicts", rate("skerry_device_api_twin_conflicts_total")),
                    named("history late", rate("skerry_device_api_history_late_total")),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Messages by rules (router-svc)",
            ("instance",),
            (
                graph(
                    "REST requests",
                    "For nodes, by how they ended.",
                    rate("skerry_router_requests_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "Messages of nodes",
                    "unrouted: no rule; overflowed: a rule's room is used up.",
                    rate("skerry_router_events_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "Deliveries",
                    "again: the target is down; dead: given up.",
                    rate("skerry_router_deliveries_total", by="result"),
                    unit="ops",
                ),
                graph("Time of deliveries", "p95.", quantile(0.95, "skerry_router_delivery_seconds"), unit="s"),
                graph(
                    "Waiting",
                    "For targets; dead letters wait for an operator.",
                    named("waiting", value("skerry_router_waiting_messages")),
                    named("dead letters", value("skerry_router_dead_letters")),
                ),
                graph(
                    "Rules",
                    "invalid: their status says why.",
                    value("skerry_router_rules", by="state"),
                    named("dead letters dropped", rate("skerry_router_dead_letters_dropped_total")),
                ),
            ),
        ),
    ),
)
