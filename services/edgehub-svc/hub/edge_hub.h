// The hub of the box: runs the session machine between the cloud, the journal and the spokes.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_HUB_EDGE_HUB_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_HUB_EDGE_HUB_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/hub/ports.h"
#include "services/edgehub-svc/hub/round_trip.h"
#include "services/edgehub-svc/metrics.h"
#include "services/edgehub-svc/store/command_store.h"
#include "services/edgehub-svc/store/event_store.h"
#include "services/edgehub-svc/store/journal_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/link/byte_budget.h"
#include "services/lib/link/edge_session.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_events.h"
#include "services/lib/log/logger.h"

namespace skerry::edgehub {

// One thread owns the machine and the journal; every public function may be called from any thread
// and posts to it (Snapshot and Stop also wait). What it is given outlives it. An `after` runs when
// the call has been dealt with.
class EdgeHub {
 public:
  struct Config {
    link::EdgeSession::Config session;
    absl::Duration clock_skew_warning = absl::Seconds(5);
    absl::Duration expiry_interval = absl::Minutes(10);
  };
  struct TypeStatus {
    std::string type;
    std::string spoke;
    bool synced = false;
    uint64_t last_sequence = 0;
  };
  struct Snapshot {
    bool connected = false;
    absl::Time change_time;
    std::string reason;
    uint64_t epoch = 0;
    absl::Time next_dial_time = absl::InfiniteFuture();
    std::vector<TypeStatus> types;
    JournalStats journal;
    std::map<std::string, StreamStats> streams;
    std::vector<EdgeHubMetrics::ClassBytes> traffic;
    link::ByteLimit limit;  // Of each direction.
    int64_t budget_left_bytes = 0;
    bool budget_awaited = false;
    absl::Duration budget_waited;
  };

  EdgeHub(const Config& config, JournalStore& journal, EventStore& events, CommandStore& commands,
          CloudDialer& dialer, Clock& clock, EdgeHubMetrics& metrics, log::Logger log);
  ~EdgeHub();

  // Begins to dial.
  void Start();
  // Says goodbye to the cloud and the spokes, then ends the thread. Idempotent.
  void Stop();

  link::SpokeId Attach(absl::string_view name, std::vector<std::string> resource_types,
                       std::vector<std::string> report_types, std::shared_ptr<SpokePort> port,
                       std::vector<EventStream> event_streams = {},
                       std::vector<std::string> tunnel_types = {},
                       std::vector<std::string> command_types = {});
  void Detach(link::SpokeId spoke);
  void Subscribe(link::SpokeId spoke, link::Subscribe subscribe, absl::AnyInvocable<void()> after);
  void ResourceDone(link::SpokeId spoke, link::ResourceAck ack, absl::AnyInvocable<void()> after);
  void PutReport(link::SpokeId spoke, uint64_t request_id, link::Report report,
                 absl::AnyInvocable<void()> after);
  // All of one stream and one producer.
  void PutEvents(link::SpokeId spoke, uint64_t request_id, std::vector<NewEvent> events,
                 absl::AnyInvocable<void()> after);

  // `done.spoke` is ignored.
  void CommandDone(link::SpokeId spoke, link::edge::CommandDone done,
                   absl::AnyInvocable<void()> after);

  // Takes a tunnel that was offered; `port` hears what becomes of it, to its End. The user's words
  // go to what is returned, any thread.
  std::function<void(link::tunnel::UserEvent)> JoinTunnel(
      uint64_t epoch, uint64_t tunnel, std::shared_ptr<link::tunnel::UserPort> port);

  Snapshot TakeSnapshot();

 private:
  struct Spoke {
    std::string name;
    std::set<std::string> report_types;
    std::set<std::string> event_streams;
    std::shared_ptr<SpokePort> port;
  };
  struct WaitingReport {
    link::SpokeId spoke = 0;
    uint64_t request_id = 0;
    link::Report report;
    absl::AnyInvocable<void()> after;
  };
  struct WaitingEvents {
    link::SpokeId spoke = 0;
    uint64_t request_id = 0;
    std::vector<NewEvent> events;
    absl::AnyInvocable<void()> after;
  };

  // Lets transports post as long as there is somebody to post to.
  struct Gate;

  void Feed(link::edge::Event event);
  void OnFrame(uint64_t connection, link::CloudFrame frame, size_t bytes);
  void Perform(link::edge::Dial effect);
  void Perform(link::edge::Send effect);
  void Perform(link::edge::CloseLink effect);
  void Perform(link::edge::ToSpoke effect);
  void Perform(link::edge::CloseSpoke effect);
  void Perform(link::edge::FetchReports effect);
  void Perform(link::edge::TrimReports effect);
  void Perform(link::edge::FetchEvents effect);
  void Perform(link::edge::TrimEvents effect);
  void Perform(link::edge::BeginCommand effect);
  void Perform(link::edge::FinishCommand effect);
  void Perform(link::edge::ForgetCommand effect);
  void Perform(link::edge::ReadCommand effect);
  void Perform(link::edge::AwaitDrained effect);
  void Perform(link::edge::StoreEpoch effect);
  void Perform(link::tunnel::ToUser effect);
  void Perform(link::edge::Connected effect);
  void Perform(link::edge::IntervalAdapted effect);
  void Perform(link::edge::Disconnected effect);
  void Perform(link::CompressionBytes effect);
  void Perform(link::edge::Count effect);

  // store: as for the metrics.
  void StoreFailed(const char* store, const absl::Status& status);
  void StoreWaiting();
  void StoreWaitingEvents();
  // OK where the spoke may put these now.
  absl::Status CheckPut(const WaitingEvents& put) const;
  void DeclareStreams(link::SpokeId spoke, const std::vector<EventStream>& streams);
  void FeedStreams(const std::map<std::string, StreamStats>& before);
  void Answer(const WaitingReport& waiting, absl::Status status);
  void SendTo(link::SpokeId spoke, SpokeMessage message);
  void DropExpired();
  void DropExpiredEvents();
  void DropExpiredCommands();
  void ShowCommands();
  void Arm();

  const Config config_;
  JournalStore& journal_;
  EventStore& events_;
  CommandStore& commands_;
  CloudDialer& dialer_;
  Clock& clock_;
  EdgeHubMetrics& metrics_;
  const log::Logger log_;
  const std::shared_ptr<Gate> gate_;
  link::EdgeSession machine_;
  std::shared_ptr<CloudLink> link_;  // Of link_connection_; null while there is none.
  uint64_t link_connection_ = 0;
  RoundTrip round_trip_;
  std::map<link::SpokeId, Spoke> spokes_;
  std::vector<WaitingReport> waiting_;                                   // Stored in one commit.
  std::vector<WaitingEvents> waiting_events_;                            // So are these.
  std::map<uint64_t, std::shared_ptr<link::tunnel::UserPort>> tunnels_;  // Of the session.
  absl::Time change_time_;                                               // Of the link's state.
  exec::SerialExecutor::TimerId timer_ = 0;
  absl::Duration timer_due_ = absl::InfiniteDuration();
  std::atomic<link::SpokeId> last_spoke_ = 0;
  exec::SerialExecutor executor_;  // Last: its thread uses the rest.
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_HUB_EDGE_HUB_H_
