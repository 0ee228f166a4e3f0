#include "services/lib/postgres/pool_metrics.h"

namespace skerry::postgres {
namespace {

constexpr char kConnects[] = "skerry_postgres_connects_total";
constexpr char kConnectsHelp[] = "Connections to PostgreSQL that were opened, or could not be.";
constexpr char kTransactions[] = "skerry_postgres_transactions_total";
constexpr char kTransactionsHelp[] =
    "Attempts at transactions: ok; aborted (by another one; tried again up to three times); "
    "unavailable (the database or the connection is gone); refused (any other reason, a conflict "
    "that the caller expects among them).";

}  // namespace

PoolMetrics::PoolMetrics(metrics::Registry& r)
    : connections_max(r.Gauge("skerry_postgres_connections_max",
                              "Connections to PostgreSQL that may be in use at once.")),
      in_use(r.Gauge("skerry_postgres_connections_in_use", "Connections that a transaction has.")),
      idle(r.Gauge("skerry_postgres_connections_idle", "Open connections that nobody uses.")),
      wait_seconds(r.Histogram("skerry_postgres_wait_seconds",
                               "How long a transaction waited for a connection.",
                               metrics::LatencyBounds())),
      busy(r.Counter("skerry_postgres_pool_busy_total",
                     "Transactions given up because no connection was free in time.")),
      connects(r.Counter(kConnects, kConnectsHelp, {{"result", "ok"}})),
      connects_failed(r.Counter(kConnects, kConnectsHelp, {{"result", "failed"}})),
      seconds_(r.Histogram("skerry_postgres_transaction_seconds",
                           "Time of one attempt at a transaction, its commit included.",
                           metrics::LatencyBounds())),
      ok_(r.Counter(kTransactions, kTransactionsHelp, {{"result", "ok"}})),
      aborted_(r.Counter(kTransactions, kTransactionsHelp, {{"result", "aborted"}})),
      unavailable_(r.Counter(kTransactions, kTransactionsHelp, {{"result", "unavailable"}})),
      refused_(r.Counter(kTransactions, kTransactionsHelp, {{"result", "refused"}})) {}

void PoolMetrics::Transaction(const absl::Status& status, absl::Duration took) {
  seconds_.Observe(absl::ToDoubleSeconds(took));
  prometheus::Counter& counter = status.ok()               ? ok_
                                 : absl::IsAborted(status) ? aborted_
                                 : absl::IsUnavailable(status) || absl::IsUnknown(status)
                                     ? unavailable_
                                     : refused_;
  counter.Increment();
}

}  // namespace skerry::postgres
