"""What goes over the links, what waits for them, what was lost. The boxes' own view needs boxes that are scraped."""

from grafana import Dashboard, Query, Row, graph, named, number, quantile, rate, share, value


def _age(metric):
    """How old the oldest is, by node; 0 when none waits."""
    return Query(f"max by (node) ((time() - {metric}{{$in}}) * ({metric}{{$in}} > bool 0))", "{{node}}")


DASHBOARD = Dashboard(
    "link",
    "Skerry: link",
    "The links between boxes and cloud: bytes, journals, reconnects, drops.",
    (
        Row(
            "Now",
            ("node",),
            (
                number("Boxes with a link", "Of those that are scraped.", value("skerry_edgehub_link_connected")),
                number(
                    "Boxes without a link",
                    "Of those that are scraped.",
                    Query("count(skerry_edgehub_link_connected{$in} == 0) or vector(0)"),
                    limit=1,
                ),
                number(
                    "Oldest report that waits",
                    "On any box. Old while there is a link: the cloud does not take it.",
                    Query(
                        "max((time() - skerry_edgehub_journal_oldest_timestamp_seconds{$in}) * "
                        "(skerry_edgehub_journal_oldest_timestamp_seconds{$in} > bool 0))"
                    ),
                    unit="s",
                    limit=900,
                ),
                number("Reports that wait", "In the journals of all boxes.", value("skerry_edgehub_journal_entries")),
                number("Events that wait", "In the journals of all boxes.", value("skerry_edgehub_event_entries")),
                number(
                    "Lost in the last day",
                    "Reports and events that the cloud will never apply.",
                    Query(
                        "sum(increase(skerry_edgehub_journal_drops_total{$in}[1d])) + "
                        "sum(increase(skerry_edgehub_event_drops_total{$in}[1d]))"
                    ),
                    limit=1,
                ),
            ),
        ),
        Row(
            "Bytes (the hubs' view)",
            ("instance",),
            (
                graph(
                    "Up, by class",
                    "Frames as they go over the line; TLS, TCP and IP add to it.",
                    rate("skerry_cloudhub_link_bytes_total", by="class", match='direction="up"'),
                    unit="Bps",
                ),
                graph(
                    "Down, by class",
                    "resource_sync is what kubectl changes and full syncs.",
                    rate("skerry_cloudhub_link_bytes_total", by="class", match='direction="down"'),
                    unit="Bps",
                ),
                graph(
                    "Compressed to",
                    "Share of what it was.",
                    Query(
                        'sum by (direction) (rate(skerry_cloudhub_link_compressed_bytes_total{$in,form="compressed"}'
                        "[$__rate_interval])) / sum by (direction) (rate(skerry_cloudhub_link_compressed_bytes_total"
                        '{$in,form="plain"}[$__rate_interval]))',
                        "{{direction}}",
                    ),
                    unit="percentunit",
                ),
                graph(
                    "Waiting for nodes",
                    "Pushes that wait for windows of nodes.",
                    value("skerry_cloudhub_unsent_bytes", by="instance"),
                    unit="bytes",
                ),
                graph(
                    "Slow nodes",
                    "Queues dropped because a node was slow; what waited for a node's budget.",
                    named("overflows", rate("skerry_cloudhub_overflows_total")),
                    named("deferrals", rate("skerry_cloudhub_link_deferrals_total")),
                    unit="ops",
                ),
                graph(
                    "Frames dropped",
                    "Frames that came too late or broke a bound; acks and tunnel frames that were too late.",
                    rate("skerry_cloudhub_dropped_frames_total", by="reason"),
                    named("stale acks", rate("skerry_cloudhub_stale_acks_total")),
                    named("stale tunnel frames", rate("skerry_cloudhub_stale_tunnel_frames_total")),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Bytes (the boxes' view)",
            ("node",),
            (
                graph(
                    "Up, by class",
                    "Of the boxes that are scraped.",
                    rate("skerry_edgehub_link_bytes_total", by="class", match='direction="up"'),
                    unit="Bps",
                ),
                graph(
                    "Down, by class",
                    "Of the boxes that are scraped.",
                    rate("skerry_edgehub_link_bytes_total", by="class", match='direction="down"'),
                    unit="Bps",
                ),
                graph(
                    "Metered links",
                    "Budget that is left (below 0: in debt), and the time that something waited for it.",
                    named("{{node}} budget", value("skerry_edgehub_link_budget_bytes", by="node")),
                    named("{{node}} s/s waited", rate("skerry_edgehub_link_deferred_seconds_total", by="node")),
                    unit="bytes",
                ),
            ),
        ),
        Row(
            "Journals of the boxes",
            ("node",),
            (
                graph(
                    "Age of the oldest report",
                    "By node; 0: none waits.",
                    _age("skerry_edgehub_journal_oldest_timestamp_seconds"),
                    unit="s",
                ),
                graph(
                    "Reports that wait",
                    "One for each key: a newer one replaces it.",
                    value("skerry_edgehub_journal_entries", by="node"),
                ),
                graph(
                    "Bytes of reports",
                    "The bound is journal.bytes_max.",
                    value("skerry_edgehub_journal_bytes", by="node"),
                    unit="bytes",
                ),
                graph(
                    "Used share of the journals",
                    "Reports of all types, of the fullest type, events of the fullest stream. At 1 something is lost or refused.",
                    named("{{node}} reports", share("skerry_edgehub_journal_bytes", by="node")),
                    named("{{node}} type", share("skerry_edgehub_journal_type_bytes", by="node")),
                    named("{{node}} events", share("skerry_edgehub_event_stream_bytes", by="node")),
                    unit="percentunit",
                    limit=0.8,
                ),
                graph(
                    "Age of the oldest event",
                    "By node; 0: none waits.",
                    _age("skerry_edgehub_event_oldest_timestamp_seconds"),
                    unit="s",
                ),
                graph(
                    "Events that wait",
                    "Kubernetes Events, readings, users' messages.",
                    value("skerry_edgehub_event_entries", by="node"),
                ),
                graph(
                    "Bytes of events",
                    "At the bound of a stream the oldest are dropped or new ones refused.",
                    value("skerry_edgehub_event_bytes", by="node"),
                    unit="bytes",
                ),
                graph(
                    "Lost",
                    "Reports and events that the cloud will never apply, by reason.",
                    rate("skerry_edgehub_journal_drops_total", by="reason", legend="reports {{reason}}"),
                    rate("skerry_edgehub_event_drops_total", by="reason", legend="events {{reason}}"),
                    unit="ops",
                ),
                graph(
                    "Taken",
                    "By the journals.",
                    named("reports", rate("skerry_edgehub_reports_stored_total")),
                    named("events", rate("skerry_edgehub_events_stored_total")),
                    named("events repeated", rate("skerry_edgehub_events_repeated_total")),
                    named("puts refused", rate("skerry_edgehub_event_puts_refused_total")),
                    unit="ops",
                ),
                graph(
                    "Store errors",
                    "full: the box's disk.",
                    rate("skerry_edgehub_store_errors_total", by="store,reason"),
                    unit="ops",
                ),
                graph(
                    "Repaired stores",
                    "As edgehub-svc started. A repair lost what was in the file.",
                    named("{{store}}", value("skerry_edgehub_store_repairs_total", by="store")),
                ),
            ),
        ),
        Row(
            "Connections of the boxes",
            ("node",),
            (
                graph(
                    "Connected", "1: there is a session.", value("skerry_edgehub_link_connected", by="node", how="min")
                ),
                graph(
                    "Dials and sessions",
                    "Dials far above sessions: the cloud is away or refuses.",
                    named("dials", rate("skerry_edgehub_dials_total")),
                    named("sessions", rate("skerry_edgehub_sessions_total")),
                    unit="ops",
                ),
                graph(
                    "Sessions and dials that ended",
                    "By reason.",
                    rate("skerry_edgehub_session_ends_total", by="reason"),
                    unit="ops",
                ),
                graph(
                    "Round trip",
                    "From reading a report from the journal until the cloud had applied it.",
                    quantile(0.5, "skerry_edgehub_report_round_trip_seconds"),
                    quantile(0.95, "skerry_edgehub_report_round_trip_seconds"),
                    unit="s",
                ),
                graph(
                    "Detection delay",
                    "How long nothing had been heard when a session was found to be over.",
                    quantile(0.5, "skerry_edgehub_detection_seconds"),
                    quantile(0.95, "skerry_edgehub_detection_seconds"),
                    unit="s",
                ),
                graph(
                    "Heartbeat interval",
                    "Below the hub's: the line forgets idle connections.",
                    value("skerry_edgehub_heartbeat_interval_seconds", by="node", how="max"),
                    unit="s",
                ),
                graph(
                    "Clock skew",
                    "The cloud's clock less the box's when the session began.",
                    value("skerry_edgehub_clock_skew_seconds", by="node", how="max"),
                    unit="s",
                ),
            ),
        ),
        Row(
            "Nodes that went away (the hubs' view)",
            ("instance",),
            (
                graph(
                    "Detection delay",
                    "How long nothing had been heard of a node when the hub took it for gone, by what showed it.",
                    quantile(0.5, "skerry_cloudhub_detection_seconds", by="reason"),
                    quantile(0.95, "skerry_cloudhub_detection_seconds", by="reason"),
                    unit="s",
                ),
                graph(
                    "Nodes that went away",
                    "HEARTBEAT_LOST: nothing was heard for two intervals; CLOSED: the connection ended; FENCED: it dialled anew "
                    "before it was missed.",
                    rate("skerry_cloudhub_detection_seconds_count", by="reason"),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Commands and tunnels of the hubs",
            ("instance",),
            (
                graph(
                    "Commands",
                    "Accepted and ended.",
                    named("accepted", rate("skerry_cloudhub_commands_total")),
                    rate("skerry_cloudhub_command_ends_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "Commands refused",
                    "COMMAND_QUEUE_FULL: a node is away and its queue is full.",
                    rate("skerry_cloudhub_command_refusals_total", by="reason"),
                    named("responses deferred", rate("skerry_cloudhub_command_responses_deferred_total")),
                    unit="ops",
                ),
                graph(
                    "Under way",
                    "Commands and tunnels in the memory of the hubs.",
                    named("commands", value("skerry_cloudhub_commands")),
                    named("tunnels", value("skerry_cloudhub_tunnels")),
                ),
                graph(
                    "Tunnels",
                    "Asked for, and ended by reason.",
                    named("asked for", rate("skerry_cloudhub_tunnels_total")),
                    rate("skerry_cloudhub_tunnel_ends_total", by="reason"),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Commands and tunnels of the boxes",
            ("node",),
            (
                graph(
                    "Commands",
                    "Repeats and refusals, and how they ended.",
                    named("started", rate("skerry_edgehub_commands_started_total")),
                    named("repeated", rate("skerry_edgehub_commands_repeated_total")),
                    named("refused", rate("skerry_edgehub_commands_refused_total")),
                    rate("skerry_edgehub_command_ends_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "Under way",
                    "Commands and tunnels.",
                    named("commands", value("skerry_edgehub_commands")),
                    named("tunnels", value("skerry_edgehub_tunnels")),
                ),
                graph(
                    "Remembered",
                    "Keys of commands, so that each runs once.",
                    value("skerry_edgehub_command_records", by="node"),
                ),
            ),
        ),
    ),
)
