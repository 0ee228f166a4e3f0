"""PostgreSQL as the services see it, the Kubernetes API's store, and the SQLite files."""

from grafana import Dashboard, Query, Row, graph, named, number, quantile, rate, share, value

DASHBOARD = Dashboard(
    "database",
    "Skerry: database",
    "Connections, transactions, errors and sizes of what is durable.",
    (
        Row(
            "PostgreSQL",
            ("job", "instance"),
            (
                number(
                    "Fullest pool",
                    "Connections in use, of those allowed.",
                    Query("max(skerry_postgres_connections_in_use{$in} / skerry_postgres_connections_max{$in})"),
                    unit="percentunit",
                    limit=0.9,
                    width=6,
                ),
                number(
                    "Unavailable",
                    "Transactions that found no database, in five minutes.",
                    Query('sum(increase(skerry_postgres_transactions_total{$in,result="unavailable"}[5m]))'),
                    limit=1,
                    width=6,
                ),
                number(
                    "Connections refused",
                    "In five minutes.",
                    Query('sum(increase(skerry_postgres_connects_total{$in,result="failed"}[5m]))'),
                    limit=1,
                    width=6,
                ),
                number(
                    "Given up",
                    "Transactions for which no connection was free in time, in five minutes.",
                    Query("sum(increase(skerry_postgres_pool_busy_total{$in}[5m]))"),
                    limit=1,
                    width=6,
                ),
                graph(
                    "Connections",
                    "In use and idle, by service.",
                    named("{{job}} in use", value("skerry_postgres_connections_in_use", by="job")),
                    named("{{job}} idle", value("skerry_postgres_connections_idle", by="job")),
                ),
                graph(
                    "Wait for a connection",
                    "p95: the pool is too small, or transactions are slow.",
                    quantile(0.95, "skerry_postgres_wait_seconds", by="job"),
                    unit="s",
                ),
                graph(
                    "Transactions",
                    "aborted: by each other, tried again. refused: conflicts that callers expect are among them.",
                    rate("skerry_postgres_transactions_total", by="job,result"),
                    unit="ops",
                ),
                graph(
                    "Time of a transaction",
                    "Its commit included.",
                    quantile(0.5, "skerry_postgres_transaction_seconds", by="job"),
                    quantile(0.95, "skerry_postgres_transaction_seconds", by="job"),
                    unit="s",
                ),
                graph(
                    "New connections",
                    "A steady rate: the database or something between cuts them.",
                    rate("skerry_postgres_connects_total", by="job,result"),
                    unit="ops",
                ),
                graph(
                    "Listens for changes",
                    "1: the hub hears of other replicas' changes at once.",
                    value("skerry_cloudhub_database_listens", by="instance", how="min"),
                ),
            ),
        ),
        Row(
            "Store of the Kubernetes API",
            ("instance",),
            (
                graph(
                    "Writes",
                    "conflict: somebody was first, the client tries again.",
                    rate("skerry_object_store_writes_total", by="result"),
                    unit="ops",
                ),
                graph(
                    "Time of a commit",
                    "Synced to the disk, or PostgreSQL's.",
                    quantile(0.5, "skerry_object_store_commit_seconds"),
                    quantile(0.95, "skerry_object_store_commit_seconds"),
                    unit="s",
                ),
                graph(
                    "Writes in one commit",
                    "Grows with the load: that is what grouping is for.",
                    quantile(0.95, "skerry_object_store_group_writes"),
                ),
                graph(
                    "Log of changes",
                    "Kept for watches and paged lists.",
                    named("changes", value("skerry_object_store_log_changes")),
                    named(
                        "revision less compacted",
                        Query(
                            "max(skerry_object_store_revision{$in}) - "
                            "max(skerry_object_store_compacted_revision{$in})"
                        ),
                    ),
                ),
                graph(
                    "Bytes of it", "Objects in the kept changes.", value("skerry_object_store_log_bytes"), unit="bytes"
                ),
                graph(
                    "Watches",
                    "Of the store, and of clients.",
                    named("store", value("skerry_object_store_watches")),
                    named("clients", value("skerry_kubeapi_watches")),
                ),
                graph("API requests", "By code.", rate("skerry_kubeapi_requests_total", by="code"), unit="ops"),
                graph(
                    "Time of API requests",
                    "p95.",
                    quantile(0.95, "skerry_kubeapi_request_seconds", by="verb"),
                    unit="s",
                ),
                graph(
                    "Informers",
                    "Lists and watches that failed, of the controllers.",
                    rate("skerry_kubeclient_informer_errors_total", by="job,resource,operation"),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "SQLite of the cloud",
            ("instance",),
            (
                graph(
                    "Waiting for targets",
                    "router-svc's messages, and its dead letters.",
                    named("waiting", value("skerry_router_waiting_bytes")),
                    named("dead letters", value("skerry_router_dead_letter_bytes")),
                    unit="bytes",
                ),
                graph(
                    "Used share of bounds",
                    "Of the fullest rule, of dead letters; files have one with SQLite only.",
                    named("rule", share("skerry_router_rule_waiting_bytes")),
                    named("dead letters", share("skerry_router_dead_letter_bytes")),
                    named("router.db", share("skerry_router_store_bytes")),
                    named("commands", share("skerry_cloudhub_command_store_bytes")),
                    named("device-controller {{store}}", share("skerry_devicecontroller_store_bytes", by="store")),
                    unit="percentunit",
                    limit=0.8,
                ),
                graph(
                    "Size of files",
                    "What is free in them left out; 0 with PostgreSQL.",
                    named("router.db", value("skerry_router_store_bytes")),
                    named("commands", value("skerry_cloudhub_command_store_bytes")),
                    named("device-controller {{store}}", value("skerry_devicecontroller_store_bytes", by="store")),
                    unit="bytes",
                ),
                graph(
                    "Repairs",
                    "Damaged files that were set aside and made anew as the service started: it counts before it can be asked, so there is no rate.",
                    named("router", value("skerry_router_store_repairs_total")),
                    named("device-controller {{store}}", value("skerry_devicecontroller_store_repairs_total", by="store")),
                    named("cloudhub {{store}}", value("skerry_cloudhub_store_repairs_total", by="store")),
                ),
            ),
        ),
        Row(
            "SQLite of the boxes",
            ("node",),
            (
                graph(
                    "Sizes",
                    "Objects, journals and readings.",
                    named("objects", value("skerry_edgemeta_store_bytes", how="max")),
                    named("reports", value("skerry_edgehub_journal_bytes", how="max")),
                    named("events", value("skerry_edgehub_event_bytes", how="max")),
                    named("readings", value("skerry_twin_readings_bytes", how="max")),
                    named("uploads", value("skerry_eventbus_uploads_waiting_bytes", how="max")),
                    unit="bytes",
                ),
                graph(
                    "Used share of bounds",
                    "Of the fullest box. Readings are a history: theirs is full in time, and the oldest make room.",
                    named("objects", share("skerry_edgemeta_store_bytes")),
                    named("readings", share("skerry_twin_readings_bytes")),
                    named("twins.db", share("skerry_twin_store_bytes")),
                    named("writes of devices", share("skerry_twin_waiting_bytes")),
                    named("uploads", share("skerry_eventbus_uploads_waiting_bytes")),
                    named("publications", share("skerry_eventbus_publications_waiting_bytes")),
                    named("requests of devices", share("skerry_eventbus_requests_waiting_bytes")),
                    named("twins for the broker", share("skerry_eventbus_twins_cached_bytes")),
                    named("posts of programs", share("skerry_servicebus_posts_waiting_bytes")),
                    named("towards edgehub-svc", share("skerry_hubclient_waiting_bytes")),
                    named("responses of commands", share("skerry_edgehub_command_response_bytes")),
                    unit="percentunit",
                    limit=0.8,
                ),
                graph(
                    "Commits that failed",
                    "Disk full or broken.",
                    named("edge-meta", rate("skerry_edgemeta_commits_total", match='result="failed"')),
                    named("twin", rate("skerry_twin_commits_total", match='result="failed"')),
                    named("eventbus", rate("skerry_eventbus_commits_total", match='result="failed"')),
                    named("mappers of twin", rate("skerry_twin_mapper_store_failures_total")),
                    rate("skerry_sqlite_failures_total", by="job, reason"),
                    named("edgehub {{store}} {{reason}}", rate("skerry_edgehub_store_errors_total", by="store,reason")),
                    unit="ops",
                ),
                graph(
                    "Repairs",
                    "Damaged files that were set aside and made anew as the service started; what was in them and nowhere else is lost.",
                    named("edgehub {{store}}", value("skerry_edgehub_store_repairs_total", by="store")),
                    named("edge-meta", value("skerry_edgemeta_store_repairs_total")),
                    named("edged", value("skerry_edged_store_repairs_total")),
                    named("twin", value("skerry_twin_store_repairs_total")),
                    named("mappers", value("skerry_twin_mapper_store_repairs_total")),
                    named("eventbus", value("skerry_eventbus_store_repairs_total")),
                ),
            ),
        ),
    ),
)
