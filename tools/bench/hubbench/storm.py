"""A hub is killed, and all its nodes come back at once."""

from cluster.usage import memory_peak_mb

from .figures import report, report_beside_bare
from .measures import connect

P99_BUDGET_SECONDS = 60


def storm(bench, seconds):
    """How long it takes, and the most memory meanwhile."""

    def run(server, load):
        connect(server, load)
        load.ask(f"storm {seconds}")  # Its first line: ready.
        server.kill()
        server.start()
        again = load.answer()
        return {"storm_p50": again["p50_s"], "storm_p99": again["p99_s"], "storm_p100": again["p100_s"],
                "storm_memory_peak": memory_peak_mb(server.pid)}

    ours, bare = bench.compare(run)
    report_beside_bare(ours, bare, {"storm_p50": "s", "storm_p99": "s", "storm_p100": "s"}, ",same_back_off")
    report("hub_storm_p99_budget", ours["storm_p99"], P99_BUDGET_SECONDS, "s", "budget,10000_nodes")
    report_beside_bare(ours, bare, {"storm_memory_peak": "MB"})
