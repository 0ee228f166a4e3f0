"""Measurements of one hub: each takes a Bench and how long a load or idling takes, and prints its figures."""

import time
from statistics import median

from cluster.usage import cpu_seconds, memory_mb

from .figures import BARE, remark, report, report_beside_bare
from .servers import Hub

PARALLEL = 64  # Nodes on their way at a time: a queue of thousands would only time out.
SETTLE_SECONDS = 3
AWAY_SECONDS = 10
MEMORY_BUDGET_KB = 8
ROUNDS = 5  # Of messages.
HOSTILITIES = ("huge_frames", "never_acks", "reconnects", "garbage", "all")


def connect(server, load):
    """All nodes: how many a second, and the server's CPU for each."""
    cpu = cpu_seconds(server.pid)
    seconds = load.ask(f"connect {PARALLEL}")["seconds"]
    cpu = cpu_seconds(server.pid) - cpu
    return {"connects": load.nodes / seconds, "connect_cpu": cpu * 1000 / load.nodes}


def both_ways(server, run):
    """up_<figure> and down_<figure> of what run(direction) returns; an echo is both at once."""
    up = run("up")
    down = run("down") if isinstance(server, Hub) else up
    return {f"{direction}_{name}": value for direction, figures in (("up", up), ("down", down))
            for name, value in figures.items()}


def rate_of(server, load, direction, seconds, payload, rate=0):
    """One load, as much as it takes or at a rate: messages a second, the CPU of both per message, latencies."""
    pids = {"cpu_us": server.pid, "load_cpu_us": load.pid}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    answer = load.ask(f"{direction} {seconds} {payload} {rate}")
    cpu = {name: (cpu_seconds(pid) - before[name]) * 1e6 / max(answer["answered"], 1) for name, pid in pids.items()}
    return {**answer, **cpu, "rate": answer["answered"] / seconds}


def memory(bench, seconds):
    """How much each node takes, and how much of it comes back."""

    def run(server, load):
        before = memory_mb(server.pid)
        connect(server, load)
        time.sleep(seconds)
        inside = memory_mb(server.pid)
        client = memory_mb(load.pid)["rss"]
        load.ask("leave")
        time.sleep(AWAY_SECONDS)
        after = memory_mb(server.pid)
        grown = inside["rss"] - before["rss"]
        per_node = 1024 / load.nodes
        return {"memory_per_node_rss": grown * per_node,
                "memory_per_node_pss": (inside["pss"] - before["pss"]) * per_node,
                "memory_left_per_node": (after["rss"] - before["rss"]) * per_node,
                "memory_given_back": 100 * (inside["rss"] - after["rss"]) / max(grown, 0.01),
                "client": client}

    ours, bare = bench.compare(run)
    report_beside_bare(ours, bare, {"memory_per_node_rss": "KB", "memory_per_node_pss": "KB"})
    report("hub_memory_per_node_over_bare", ours["memory_per_node_rss"] - bare["memory_per_node_rss"],
           MEMORY_BUDGET_KB, "KB", "budget")
    report_beside_bare(ours, bare, {"memory_given_back": "percent", "memory_left_per_node": "KB"},
                       f",{AWAY_SECONDS}_s_after_all_left")
    remark(f"hub_load took {ours['client']:.0f} MB for {bench.options.nodes} nodes")


def idle_cpu(bench, seconds):
    """What heartbeats alone take."""

    def run(server, load):
        connect(server, load)
        time.sleep(SETTLE_SECONDS)
        tcp, cpu = load.ask("tcp"), cpu_seconds(server.pid)
        time.sleep(seconds)
        cpu, tcp_after = cpu_seconds(server.pid) - cpu, load.ask("tcp")
        segments = sum(tcp_after[name] - tcp[name] for name in ("segments_sent", "segments_received"))
        return {"idle_cpu": 1000 * cpu / seconds, "idle_segments": segments / load.nodes}

    ours, bare = bench.compare(run)
    report_beside_bare(ours, bare, {"idle_cpu": "ms/s", "idle_segments": "segments_per_node"},
                       f",heartbeats_as_often,{bench.options.nodes}_nodes,{seconds}_s")


def messages(bench, seconds):
    """As many as it takes, each way, in turn with echoes: the machine's speed is not the same for long."""
    payload = bench.options.payload
    hub = bench.hub("hub")
    loads = {"up": [], "down": [], "echo": []}
    with bench.loaded(hub, hub) as load:
        connect(hub, load)
        bare = bench.bare(hub)
        with bench.loaded(bare, hub) as bare_load:
            connect(bare, bare_load)
            for _ in range(ROUNDS):
                loads["echo"].append(rate_of(bare, bare_load, "up", seconds, payload))
                for direction in ("up", "down"):
                    loads[direction].append(rate_of(hub, load, direction, seconds, payload))
            loads["echo"].append(rate_of(bare, bare_load, "up", seconds, payload))
    for direction in ("up", "down"):
        for name, figure, unit in (("", "rate", "1/s"), ("_cpu", "cpu_us", "us"), ("_load_cpu", "load_cpu_us", "us")):
            ours = [each[figure] for each in loads[direction]]
            echo = [each[figure] for each in loads["echo"]]
            beside = [(before + after) / 2 for before, after in zip(echo, echo[1:])]
            report(f"hub_messages_{direction}{name}", median(ours), median(beside), unit,
                   f"{BARE},same_payload,median_of_{ROUNDS}_rounds")
            ratios = sorted(our / reference for our, reference in zip(ours, beside))
            remark(f"ratio of each round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


def latency(bench, seconds):
    """At half of the rate that this run finds to be the most, each way; one object to all nodes; connections."""
    payload = bench.options.payload

    def run(server, load):
        connected = connect(server, load)

        def at_half_load(direction):
            most = rate_of(server, load, direction, seconds, payload)["rate"]
            half = rate_of(server, load, direction, seconds, payload, most / 2)
            return {**half, **load.ask(f"broadcast {direction} {payload}")}

        return {**connected, **both_ways(server, at_half_load)}

    ours, bare = bench.compare(run)
    for direction in ("up", "down"):
        for figure, unit in (("rate", "1/s"), ("p50_ms", "ms"), ("p99_ms", "ms"), ("max_ms", "ms")):
            key = f"{direction}_{figure}"
            report(f"hub_half_load_{key.removesuffix('_ms')}", ours[key], bare[key], unit,
                   f"{BARE},at_half_of_its_own_maximum")
    for quantile in ("p50", "p99", "p100"):
        key = f"down_{quantile}_s"
        report(f"hub_broadcast_{quantile}", ours[key], bare[key], "s", f"{BARE},an_echo_of_every_node_at_once")
    report_beside_bare(ours, bare, {"connects": "1/s", "connect_cpu": "ms"})


def hostile(bench, seconds):
    """One more node is hostile in each way, while the others have half of the load that is the most."""
    hub = bench.hub("hub")
    with bench.loaded(hub, hub) as load:
        connect(hub, load)

        def rate_up(rate):
            return rate_of(hub, load, "up", seconds, bench.options.payload, rate)

        rate = rate_up(0)["rate"] / 2
        for kind in HOSTILITIES:
            without = rate_up(rate)
            load.ask(f"hostile {kind}")
            beside = rate_up(rate)
            remark(f"{kind}: {hub.metric('skerry_cloudhub_unsent_bytes'):.0f} bytes of pushes wait for nodes, "
                   f"{hub.metric('skerry_rpc_listener_paced_addresses'):.0f} addresses are paced")
            load.ask("hostile none")
            for quantile in ("p50", "p99"):
                key = f"{quantile}_ms"
                report(f"hub_hostile_{kind}_{quantile}", beside[key], without[key], "ms",
                       f"the_same_{rate:.0f}_messages_a_second_just_before")
        report("hub_hostile_links_lost", load.ask("state")["lost"], 0, "links", "budget")
