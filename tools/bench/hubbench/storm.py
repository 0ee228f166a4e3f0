"""A hub is killed, and all its nodes come back at once."""

import contextlib

from cluster.usage import memory_peak_mb
from harness.postgres import Postgres

from .figures import BARE, remark, report, report_beside_bare
from .measures import connect

P99_BUDGET_SECONDS = 60
NEIGHBOURS = 100
NEIGHBOUR_RATE = 200  # Reports a second of all neighbours: no load, many values.
UNDISTURBED_SECONDS = 10


def _run(bench, seconds, hub, killed, neighbour):
    """Of a server that is killed, and of nodes of another beside it; both have certificates of the hub."""
    with bench.loaded(killed, hub) as load, \
            bench.loaded(neighbour, hub, NEIGHBOURS, "neighbour-") as neighbours:
        connect(killed, load)
        connect(neighbour, neighbours)
        reports = f"{bench.options.payload} {NEIGHBOUR_RATE}"
        undisturbed = neighbours.ask(f"up {UNDISTURBED_SECONDS} {reports}")
        neighbours.send(f"up 0 {reports}")  # Until the next line.
        load.ask(f"storm {seconds}")  # Its first line: ready.
        killed.kill()
        killed.start()
        again = load.answer()
        neighbours.send("state")
        meanwhile = neighbours.answer()
        return {"storm_p50": again["p50_s"], "storm_p99": again["p99_s"], "storm_p100": again["p100_s"],
                "storm_memory_peak": memory_peak_mb(killed.pid), "undisturbed": undisturbed, "meanwhile": meanwhile,
                "lost": neighbours.answer()["lost"]}


def storm(bench, seconds):
    """Of two replicas on one PostgreSQL, beside two bare servers that share nothing but the machine."""
    with contextlib.closing(Postgres()) as postgres:
        url = bench.folder / "postgres-url"
        url.write_text(Postgres.url(postgres.folder))
        store = {"store.kind": "postgres", "store.postgres_url_file": str(url)}
        killed = bench.hub("killed", {"hub.name": "killed", **store})
        neighbour = bench.hub("neighbour", {"hub.name": "neighbour", "tls.ca_dir": str(killed.state_dir / "ca"),
                                            **store})
        ours = _run(bench, seconds, killed, killed, neighbour)
    report("hub_storm_p99_budget", ours["storm_p99"], P99_BUDGET_SECONDS, "s", "budget,10000_nodes")
    report("hub_storm_neighbour_links_lost", ours["lost"], 0, "links", "budget")
    _report_neighbour("", ours, "the_same_replica_undisturbed")
    remark(f"the hub's nodes were back: {ours['storm_p50']:.1f} s, {ours['storm_p99']:.1f} s, "
           f"{ours['storm_p100']:.1f} s (50, 99, 100 %); now the bare server, which may take long")
    bare = _run(bench, seconds, killed, bench.bare(killed), bench.bare(killed))
    report_beside_bare(ours, bare, {"storm_p50": "s", "storm_p99": "s", "storm_p100": "s"}, ",same_back_off")
    report_beside_bare(ours, bare, {"storm_memory_peak": "MB"})
    _report_neighbour("_bare", bare, "the_same_bare_server_undisturbed")
    for quantile in ("p50", "p99", "max"):
        report(f"hub_storm_neighbour_{quantile}_beside_bare", ours["meanwhile"][f"{quantile}_ms"],
               bare["meanwhile"][f"{quantile}_ms"], "ms", f"{BARE},beside_the_storm_of_another")


def _report_neighbour(name, run, reference_is):
    for quantile in ("p50", "p99", "max"):
        report(f"hub_storm_neighbour{name}_{quantile}", run["meanwhile"][f"{quantile}_ms"],
               run["undisturbed"][f"{quantile}_ms"], "ms", reference_is)
