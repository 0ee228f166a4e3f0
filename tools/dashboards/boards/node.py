"""One box: pods, runtime, disk, our own processes, the stores, the broker."""

from grafana import Dashboard, Query, Row, graph, named, number, quantile, rate, value

_DISK = "skerry_edged_image_disk_available_bytes{$in} / skerry_edged_image_disk_capacity_bytes{$in}"

DASHBOARD = Dashboard(
    "node",
    "Skerry: node",
    "A box, or all that are scraped: pods, container runtime, disk, our processes, broker.",
    (
        Row(
            "Now",
            ("node",),
            (
                number("Pods running", "By edged-svc.", value("skerry_edged_pods", match='phase="Running"')),
                number(
                    "Pods not running",
                    "Pending or Failed.",
                    value("skerry_edged_pods", match='phase=~"Pending|Failed"'),
                    limit=1,
                ),
                number(
                    "Least disk free",
                    "Of the file system that images are on.",
                    Query(f"min({_DISK})"),
                    unit="percentunit",
                ),
                number(
                    "Linked", "Boxes with a session, of those that are scraped.", value("skerry_edgehub_link_connected")
                ),
                number(
                    "Brokers away",
                    "eventbus-svc has no broker.",
                    Query("count(skerry_eventbus_mqtt_connected{$in} == 0) or vector(0)"),
                    limit=1,
                ),
                number(
                    "Processes down",
                    "Targets that Prometheus can't scrape.",
                    Query('count(up{$in,node!=""} == 0) or vector(0)'),
                    limit=1,
                ),
            ),
        ),
        Row(
            "Pods",
            ("node",),
            (
                graph("Pods", "By phase.", value("skerry_edged_pods", by="phase")),
                graph(
                    "Restarts and lost objects",
                    "Containers started again; objects that can't be used.",
                    named("restarts", rate("skerry_edged_container_restarts_total")),
                    named("objects refused", rate("skerry_edged_objects_refused_total")),
                    unit="ops",
                ),
                graph(
                    "Probes",
                    "late: began more than a second after their time, so the box is overloaded.",
                    rate("skerry_edged_probes_total", by="probe,result"),
                    named("late", rate("skerry_edged_probes_late_total")),
                    unit="ops",
                ),
                graph(
                    "Runtime operations",
                    "Calls to the container runtime, by what and how they ended.",
                    rate("skerry_edged_runtime_operations_total", by="operation,result"),
                    unit="ops",
                ),
                graph(
                    "Time of runtime operations",
                    "p95.",
                    quantile(0.95, "skerry_edged_runtime_operation_seconds", by="operation"),
                    unit="s",
                ),
                graph(
                    "Relists",
                    "Errors: the container runtime does not answer. p95 grows with the number of containers.",
                    rate("skerry_edged_relists_total", by="result"),
                    quantile(0.95, "skerry_edged_relist_seconds"),
                ),
                graph(
                    "Reports and Events",
                    "Handed to edge-meta-svc; Events of pods by what became of them.",
                    rate("skerry_edged_reports_total", by="result", legend="reports {{result}}"),
                    rate("skerry_edged_events_total", by="result", legend="events {{result}}"),
                    unit="ops",
                ),
                graph(
                    "Image disk free",
                    "Unused images are removed when it is full.",
                    Query(f"min by (node) ({_DISK})", "{{node}}"),
                    unit="percentunit",
                ),
                graph(
                    "Upkeep",
                    "Images removed, logs rotated and compressed.",
                    rate("skerry_edged_images_removed_total", by="result", legend="images {{result}}"),
                    rate("skerry_edged_log_rotations_total", by="result", legend="rotations {{result}}"),
                    rate("skerry_edged_log_compressions_total", by="result", legend="compressions {{result}}"),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Our processes",
            ("node", "job"),
            (
                graph(
                    "Memory",
                    "Resident, the libraries that processes share counted in each.",
                    value("process_resident_memory_bytes", by="job", how="max"),
                    unit="bytes",
                ),
                graph("CPU", "Cores.", rate("process_cpu_seconds_total", by="job")),
                graph(
                    "Threads and descriptors",
                    "They stay as they are; a rise is a leak.",
                    Query("max by (job) (process_threads{$in})", "{{job}} threads"),
                    Query("max by (job) (process_open_fds{$in})", "{{job}} descriptors"),
                ),
                graph(
                    "Uptime",
                    "Since the start of the youngest process.",
                    Query("time() - max by (job) (process_start_time_seconds{$in})", "{{job}}"),
                    unit="s",
                ),
                graph(
                    "Attached to edgehub-svc",
                    "1: edgehub-svc has it.",
                    value("skerry_hubclient_attached", by="job", how="min"),
                ),
                graph(
                    "Waiting for edgehub-svc",
                    "Reports and events that it has not answered yet; busy: no room for more.",
                    value("skerry_hubclient_waiting_bytes", by="job"),
                    unit="bytes",
                ),
                graph(
                    "Refused by edgehub-svc",
                    "retries: it can't store now, as a rule for a full disk.",
                    rate("skerry_hubclient_busy_total", by="job", legend="{{job}} busy"),
                    rate("skerry_hubclient_retries_total", by="job", legend="{{job}} retries"),
                    rate("skerry_hubclient_event_puts_refused_total", by="job", legend="{{job}} refused"),
                    unit="ops",
                ),
                graph(
                    "Node certificate ends in",
                    "Renewed at two thirds of its life.",
                    Query(
                        'min by (node) (skerry_edgehub_certificate_expire_timestamp_seconds{node=~"$node"}) - time()',
                        "{{node}}",
                    ),
                    unit="s",
                ),
                graph(
                    "Certificate renewals",
                    "By result.",
                    Query(
                        "sum by (result) (rate(skerry_edgehub_certificate_renewals_total"
                        '{node=~"$node"}[$__rate_interval]))',
                        "{{result}}",
                    ),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Objects on the box (edge-meta-svc)",
            ("node",),
            (
                graph(
                    "Connected",
                    "To edgehub-svc, and by it to the cloud.",
                    named("{{node}} edgehub", value("skerry_edgemeta_edgehub_attached", by="node", how="min")),
                    named("{{node}} cloud", value("skerry_edgemeta_link_connected", by="node", how="min")),
                ),
                graph(
                    "Behind the cloud",
                    "Time with a link since a type was last in step; 0 in step, stands still without a link.",
                    value("skerry_edgemeta_sync_behind_seconds", by="node, type", how="max"),
                    unit="s",
                    limit=600,
                ),
                graph(
                    "Changes",
                    "Committed, refused, too late.",
                    rate("skerry_edgemeta_changes_total", by="change"),
                    named("rejected", rate("skerry_edgemeta_objects_rejected_total")),
                    named("stale", rate("skerry_edgemeta_messages_stale_total")),
                    unit="ops",
                ),
                graph(
                    "Reports that wait",
                    "For edgehub-svc: it is away, or its journal is full.",
                    value("skerry_edgemeta_reports_pending", by="node"),
                ),
                graph(
                    "Commits",
                    "failed: disk full or broken.",
                    rate("skerry_edgemeta_commits_total", by="result"),
                    unit="ops",
                ),
                graph("Store", "Size of edge-meta.db.", value("skerry_edgemeta_store_bytes", by="node"), unit="bytes"),
                graph(
                    "Watches",
                    "Open, and ended because the reader was too slow.",
                    named("open", value("skerry_edgemeta_watchers")),
                    named("slow a second", rate("skerry_edgemeta_watchers_slow_total")),
                ),
            ),
        ),
        Row(
            "Broker and programs of the box",
            ("node",),
            (
                graph(
                    "Broker",
                    "1: there. refused: credentials, ACL.",
                    named("{{node}} connected", value("skerry_eventbus_mqtt_connected", by="node", how="min")),
                    rate("skerry_eventbus_mqtt_connects_total", by="result"),
                ),
                graph(
                    "Messages",
                    "From the broker, by what their topic means; refused by reason; published.",
                    rate("skerry_eventbus_messages_received_total", by="topic"),
                    rate("skerry_eventbus_messages_refused_total", by="reason", legend="refused {{reason}}"),
                    named("published", rate("skerry_eventbus_published_total")),
                    unit="ops",
                ),
                graph(
                    "Waiting",
                    "For the broker, and users' messages for edgehub-svc.",
                    named("publications", value("skerry_eventbus_publications_waiting")),
                    named("uploads", value("skerry_eventbus_uploads_waiting")),
                ),
                graph(
                    "Lost",
                    "Publications and users' messages that were given up.",
                    rate("skerry_eventbus_publications_dropped_total", by="reason", legend="publications {{reason}}"),
                    rate("skerry_eventbus_uploads_dropped_total", by="reason", legend="uploads {{reason}}"),
                    named("requests that a crash would lose", rate("skerry_eventbus_requests_unlogged_total")),
                    unit="ops",
                ),
                graph(
                    "Calls of the box's services",
                    "By servicebus-svc, by how they ended.",
                    rate("skerry_servicebus_calls_total", by="result"),
                    rate("skerry_servicebus_posts_total", by="result", legend="posts {{result}}"),
                    unit="ops",
                ),
                graph("Time of these calls", "p95.", quantile(0.95, "skerry_servicebus_call_seconds"), unit="s"),
                graph(
                    "Requests over HTTP",
                    "Answers, and p95 of the time to them: servicebus-svc's to local programs; with Docker edged-svc's to exec, "
                    "attach and port-forward, which are 1xx.",
                    rate("skerry_http_responses_total", by="job, code_class"),
                    quantile(0.95, "skerry_http_request_seconds", by="job"),
                ),
            ),
        ),
    ),
)
