"""Are the nodes there, and is the cloud half well? Of the cloud's services alone: boxes may be out of reach."""

from grafana import Dashboard, Query, Row, graph, named, number, quantile, rate, value

_OUT = (
    'max(skerry_kubeclient_informer_objects{$in,resource="nodes"} and on (instance) '
    "skerry_edgecontroller_nodes_connected{$in}) - max(skerry_edgecontroller_nodes_connected{$in})"
)

DASHBOARD = Dashboard(
    "fleet",
    "Skerry: fleet",
    "Nodes with and without a session, joins, syncs, and the services of the cloud half.",
    (
        Row(
            "Nodes",
            ("instance",),
            (
                number("Nodes with a session", "Of all hubs.", value("skerry_cloudhub_sessions")),
                number(
                    "Nodes out",
                    "Edge Nodes of the Kubernetes API without a session: switched off, or cut off. Their pods "
                    "run on.",
                    Query(_OUT),
                    limit=1,
                ),
                number(
                    "Nodes on their way in",
                    "In a full sync, waiting for one, or sent away until it is their turn.",
                    Query(
                        "sum(skerry_cloudhub_syncs{$in}) + sum(skerry_cloudhub_sync_waiting{$in}) + "
                        "sum(skerry_cloudhub_tickets{$in})"
                    ),
                ),
                number(
                    "Controllers attached",
                    "Controllers that the hubs have; each needs every hub.",
                    value("skerry_cloudhub_spokes", how="min"),
                ),
                number(
                    "Services down",
                    "Targets that Prometheus can't scrape.",
                    Query("count(up{$in} == 0) or vector(0)"),
                    limit=1,
                ),
                number(
                    "Copies refused",
                    "Boxes with another box's key (NODE_CLONED), in the last hour: an alarm.",
                    Query('sum(increase(skerry_cloudhub_refusals_total{$in,reason="NODE_CLONED"}[1h]))'),
                    limit=1,
                ),
                graph(
                    "Sessions by hub",
                    "A hub that loses all at once is the hub's fault; all hubs together, the network's.",
                    value("skerry_cloudhub_sessions", by="instance"),
                ),
                graph(
                    "Sessions that end",
                    "HEARTBEAT_LOST: nothing was heard; FENCED: the node dialled anew; DRAINING: asked to go.",
                    rate("skerry_cloudhub_session_ends_total", by="reason"),
                    unit="ops",
                ),
                graph(
                    "Connections refused",
                    "OVERLOADED is a reconnect storm being paced; IDENTITY, NODE_KEY_WRONG and "
                    "NODE_CLONED are about certificates.",
                    rate("skerry_cloudhub_refusals_total", by="reason"),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Getting in",
            ("instance",),
            (
                graph(
                    "Full syncs",
                    "Waiting that does not fall: controllers are slow, or one node holds its place.",
                    named("in sync", value("skerry_cloudhub_syncs")),
                    named("waiting", value("skerry_cloudhub_sync_waiting")),
                    named("sent away for now", value("skerry_cloudhub_tickets")),
                ),
                graph(
                    "Sync lag",
                    "From a node's request until it had everything, its turn included.",
                    quantile(0.5, "skerry_cloudhub_sync_seconds"),
                    quantile(0.95, "skerry_cloudhub_sync_seconds"),
                    unit="s",
                ),
                graph(
                    "Syncs not done in time",
                    "Another node was let in meanwhile.",
                    rate("skerry_cloudhub_sync_overruns_total", by="instance"),
                    unit="ops",
                ),
                graph(
                    "Join requests",
                    "Everything but ISSUED, and GOOD of the looks that skerryctl doctor takes at a token, is an attempt that failed.",
                    rate("skerry_cloudhub_join_requests_total", by="reason"),
                    rate("skerry_cloudhub_token_requests_total", by="reason", legend="look: {{reason}}"),
                    unit="ops",
                ),
                graph(
                    "Certificate renewals of nodes",
                    "Each node once in two thirds of its certificate's life.",
                    rate("skerry_cloudhub_renewal_requests_total", by="reason"),
                    unit="ops",
                ),
                graph(
                    "TLS handshakes",
                    "Waiting grows while more nodes dial than the hub's processor can take.",
                    named("under way", value("skerry_rpc_listener_handshakes")),
                    named("waiting", value("skerry_rpc_listener_waiting")),
                    named("addresses paced", value("skerry_rpc_listener_paced_addresses")),
                ),
            ),
        ),
        Row(
            "Controllers",
            ("instance",),
            (
                graph(
                    "Hubs known and attached",
                    "Attached below known: the nodes of one hub get nothing from this controller.",
                    named("edge-controller known", value("skerry_edgecontroller_hubs", how="max")),
                    named("edge-controller attached", value("skerry_edgecontroller_hubs_attached", how="max")),
                    named("device-controller known", value("skerry_devicecontroller_hubs", how="max")),
                    named("device-controller attached", value("skerry_devicecontroller_hubs_attached", how="max")),
                    named("router known", value("skerry_router_hubs", how="max")),
                    named("router attached", value("skerry_router_hubs_attached", how="max")),
                ),
                graph(
                    "Node leases",
                    "Renewed while a node is heard; lost: marked Unknown.",
                    named("renewed", rate("skerry_edgecontroller_leases_renewed_total")),
                    named("nodes lost", rate("skerry_edgecontroller_nodes_lost_total")),
                    unit="ops",
                ),
                graph(
                    "Reports of nodes",
                    "deferred: the Kubernetes API does not take them now; rejected: never.",
                    rate("skerry_edgecontroller_reports_total", by="type,result"),
                    unit="ops",
                ),
                graph(
                    "Reconciliations",
                    "retry that stays: the log says what fails. terminal: waits for a change of the object.",
                    rate("skerry_reconcile_total", by="controller,result"),
                    unit="ops",
                ),
                graph(
                    "Time of a reconciliation",
                    "p95.",
                    quantile(0.95, "skerry_reconcile_seconds", by="controller"),
                    unit="s",
                ),
                graph(
                    "Waiting for a worker",
                    "Objects that are due. Growing: workers are too few, or what they call is slow.",
                    value("skerry_reconcile_waiting", by="controller"),
                ),
                graph("Leaders", "One for each lease.", value("skerry_leader_election_leading", by="lease")),
                graph(
                    "Pushes down",
                    "Changes of objects sent to nodes.",
                    named("edge-controller {{change}}", rate("skerry_edgecontroller_pushes_total", by="change")),
                    named("device-controller {{change}}", rate("skerry_devicecontroller_pushes_total", by="change")),
                    unit="ops",
                ),
                graph(
                    "Refused by nodes and dropped",
                    "Objects that an edge node refused; frames that were not served.",
                    named("edge-controller refused", rate("skerry_edgecontroller_pushes_rejected_total")),
                    named("device-controller refused", rate("skerry_devicecontroller_pushes_rejected_total")),
                    named(
                        "edge-controller {{reason}}", rate("skerry_edgecontroller_frames_dropped_total", by="reason")
                    ),
                    named(
                        "device-controller {{reason}}",
                        rate("skerry_devicecontroller_frames_dropped_total", by="reason"),
                    ),
                    unit="ops",
                ),
                graph(
                    "Streams to pods",
                    "kubectl logs, exec, attach, port-forward.",
                    named("open", value("skerry_edgecontroller_streams")),
                    named("{{result}} a second", rate("skerry_edgecontroller_streams_total", by="result")),
                ),
            ),
        ),
        Row(
            "Services",
            ("job", "instance"),
            (
                graph(
                    "Calls by result",
                    "Unary gRPC calls that services answered.",
                    rate("skerry_rpc_server_handling_seconds_count", by="job,code"),
                    unit="ops",
                ),
                graph(
                    "Time of calls",
                    "p95 of unary gRPC calls.",
                    quantile(0.95, "skerry_rpc_server_handling_seconds", by="job"),
                    unit="s",
                ),
                graph(
                    "Open streams",
                    "Links, spokes, watches and tunnels, by the method of gRPC.",
                    value("skerry_rpc_server_streams", by="job,method"),
                ),
                graph(
                    "Streams that end",
                    "Each is dialled anew. CANCELLED: the client, or the line, is gone; UNAVAILABLE: the server stops; RESOURCE_EXHAUSTED: a slow reader.",
                    rate("skerry_rpc_server_stream_ends_total", by="job,method,code"),
                    unit="ops",
                ),
                graph(
                    "Messages on streams",
                    "What comes and goes, of all streams of a service.",
                    rate("skerry_rpc_server_stream_messages_total", by="job,direction"),
                    unit="ops",
                ),
                graph(
                    "Requests of HTTPS ports",
                    "refused: malformed, too big, too slow, too many; a failed handshake; at a bound: connections that made "
                    "room for others, or found none; answers that nobody read.",
                    rate("skerry_http_requests_total", by="job", legend="{{job}}"),
                    rate("skerry_http_requests_refused_total", by="job", legend="{{job}} refused"),
                    rate("skerry_http_handshakes_failed_total", by="job", legend="{{job}} handshakes failed"),
                    rate("skerry_http_connections_evicted_total", by="job", legend="{{job}} made room"),
                    rate("skerry_http_connections_refused_total", by="job", legend="{{job}} found no room"),
                    rate("skerry_http_answers_dropped_total", by="job", legend="{{job}} answers dropped"),
                    unit="ops",
                ),
                graph(
                    "Answers of HTTPS ports",
                    "REST, kubelet, Kubernetes API, join. 5xx: the service, or what it asks.",
                    rate("skerry_http_responses_total", by="job, code_class"),
                    unit="ops",
                ),
                graph(
                    "Time of HTTPS requests",
                    "p95, to the answer, or to the head of a stream. kubectl logs and what waits for a box take their time.",
                    quantile(0.95, "skerry_http_request_seconds", by="job"),
                    unit="s",
                ),
                graph("Memory", "Resident memory.", value("process_resident_memory_bytes", by="job"), unit="bytes"),
                graph("CPU", "Cores.", rate("process_cpu_seconds_total", by="job")),
                graph(
                    "File descriptors",
                    "Open, of those allowed.",
                    Query("max by (job) (process_open_fds{$in} / process_max_fds{$in})", "{{job}}"),
                    unit="percentunit",
                ),
                graph(
                    "Certificates end in",
                    "They are renewed at two thirds of their life.",
                    Query(
                        'min by (job, certificate) (skerry_certificate_expire_timestamp_seconds{$in,certificate!="ca"}) - time()',
                        "{{job}} {{certificate}}",
                    ),
                    unit="s",
                ),
                graph(
                    "The CA ends in",
                    "Nothing renews it: before the hubs' ends, each box has to join again.",
                    Query(
                        'min by (job) (skerry_certificate_expire_timestamp_seconds{$in,certificate="ca"}) - time()', "{{job}}"
                    ),
                    unit="s",
                ),
                graph(
                    "Versions",
                    "Processes of each build.",
                    Query("count by (version, commit) (skerry_build_info{$in})", "{{version}} {{commit}}"),
                ),
                graph(
                    "Uptime",
                    "Since the start of the youngest process.",
                    Query("time() - max by (job) (process_start_time_seconds{$in})", "{{job}}"),
                    unit="s",
                ),
            ),
        ),
    ),
)
