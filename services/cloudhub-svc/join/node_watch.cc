#include "services/cloudhub-svc/join/node_watch.h"

#include <prometheus/gauge.h>

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

constexpr absl::Duration kPollInterval = absl::Seconds(5);
// Longer than a poll may be late, and a transaction may take from its write to its commit.
constexpr absl::Duration kPolled = absl::Minutes(2);

}  // namespace

NodeWatch::NodeWatch(postgres::Pool& pool, OnState on_state, metrics::Registry& registry,
                     log::Logger log)
    : pool_(pool),
      on_state_(std::move(on_state)),
      listens_(registry.Gauge("skerry_cloudhub_database_listens",
                              "1 while the hub hears what other replicas admit and disable.")),
      listener_(pool,
                {.name = "node-watch",
                 .channel = postgres_tables::kNodesChannel,
                 .poll_interval = kPollInterval},
                {.read = [this](bool anew) { return Read(anew); },
                 .heard = [this](const std::vector<std::string>& heard) { return Hear(heard); },
                 .state = [this](bool listens) { listens_.Set(listens ? 1 : 0); }},
                std::move(log)) {}

absl::Status NodeWatch::Read(bool all) {
  return pool_.Transact("read nodes", postgres::Pool::Mode::kSnapshot,
                        [&](pqxx::transaction_base& transaction) -> absl::Status {
                          for (const pqxx::row& row : transaction.exec_params(
                                   "SELECT node, session_epoch, disabled FROM hub_nodes "
                                   "WHERE $1 OR change_time > now() - make_interval(secs => $2)",
                                   all, absl::ToDoubleSeconds(kPolled))) {
                            SKERRY_RETURN_IF_ERROR(Tell(row[0].as<std::string>(),
                                                        static_cast<uint64_t>(row[1].as<int64_t>()),
                                                        row[2].as<bool>()));
                          }
                          return absl::OkStatus();
                        });
}

absl::Status NodeWatch::Hear(const std::vector<std::string>& payloads) {
  for (const std::string& payload : payloads) {
    const std::vector<std::string> words = absl::StrSplit(payload, ' ');
    uint64_t epoch = 0;
    if (words.size() != 3 || !absl::SimpleAtoi(words[1], &epoch))
      return absl::InvalidArgumentError(absl::StrCat("not an announcement of a node: ", payload));
    SKERRY_RETURN_IF_ERROR(Tell(words[0], epoch, words[2] == "1"));
  }
  return absl::OkStatus();
}

absl::Status NodeWatch::Tell(const std::string& node, uint64_t session_epoch, bool disabled) {
  SKERRY_ASSIGN_OR_RETURN(NodeName name, NodeName::Parse(node));
  on_state_({.node = std::move(name), .session_epoch = session_epoch, .disabled = disabled});
  return absl::OkStatus();
}

}  // namespace skerry::cloudhub
