#include "services/cloudhub-svc/store/command_watch.h"

#include <pqxx/pqxx>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace skerry::cloudhub {

// It does not poll: what was announced on a connection that lives is not lost, and one that is dead
// without a word is found by its keepalives within half a minute.
CommandWatch::CommandWatch(postgres::Pool& pool, Events events, log::Logger log)
    : pool_(pool),
      events_(std::move(events)),
      listener_(pool,
                {.name = "command-watch",
                 .channel = "skerry_hub_commands",
                 .poll_interval = absl::InfiniteDuration()},
                {.read = [this](bool) { return Read(); },
                 .heard =
                     [this](const std::vector<std::string>& nodes) {
                       for (const std::string& node : std::set(nodes.begin(), nodes.end()))
                         events_.changed(node);
                       return absl::OkStatus();
                     },
                 .state = nullptr},
                std::move(log)) {}

absl::Status CommandWatch::Read() {
  events_.missed();
  return pool_.Transact("read nodes with queued commands", postgres::Pool::Mode::kSnapshot,
                        [&](pqxx::transaction_base& transaction) {
                          for (const pqxx::row& row : transaction.exec(
                                   "SELECT DISTINCT node FROM hub_commands WHERE stage < 4")) {
                            events_.changed(row[0].as<std::string>());
                          }
                          return absl::OkStatus();
                        });
}

}  // namespace skerry::cloudhub
