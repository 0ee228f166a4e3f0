#include "services/twin-svc/simulation/twin_guest.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {

void TwinGuest::Enter(link::testing::Simulation& simulation) {
  simulation_ = &simulation;
  cloud_.Enter(simulation);
  copies_.Enter(simulation);
  process_.Enter(simulation);
  for (int i = 0; i < 4; ++i) cloud_.ChangeDevice();
  cloud_.Attach();
  copies_.Attach();
  copies_.Watch(/*known=*/false);
  AttachTwins();
}

void TwinGuest::Step() {
  const uint64_t dice = Random(1000);
  if (dice < 200) {
    cloud_.Work();
  } else if (dice < 380) {
    copies_.Work();
  } else if (dice < 500) {
    TakeFromWatch();
  } else if (dice < 570) {
    cloud_.ChangeDevice();
  } else if (dice < 720) {
    process_.UserActs();
  } else if (dice < 790) {
    PutReport();
  } else if (dice < 870) {
    StoreReport();
  } else if (dice < 876) {
    cloud_.LateWrite();
  } else if (dice < 896) {
    if (!cloud_.attached()) cloud_.Attach();
  } else if (dice < 916) {
    if (!copies_.attached()) copies_.Attach();
  } else if (dice < 936) {
    if (process_.running() && twins_spoke_ == 0) AttachTwins();
  } else if (dice < 944) {
    if (process_.running()) CrashTwins();
  } else if (dice < 958) {
    if (!process_.running()) StartTwins();
  } else if (dice < 964) {
    copies_.Crash();
  } else if (dice < 974) {
    cloud_.Crash();
  } else if (dice < 981) {
    process_.SetDiskSlow(true);
  } else if (dice < 984) {
    process_.SetDiskFull(true);
  } else if (dice < 994) {
    process_.SetDiskFull(false);
  } else {
    process_.ClockJumps();
  }
}

void TwinGuest::Settle() {
  process_.SetDiskFull(false);
  cloud_.Mend();
  if (!cloud_.attached()) cloud_.Attach();
  if (!copies_.attached()) copies_.Attach();
  if (!process_.running()) StartTwins();
  if (twins_spoke_ == 0) AttachTwins();
}

void TwinGuest::Work() {
  cloud_.Work();
  if (Random(500) == 0) cloud_.LateWrite();
  copies_.Work();
  TakeFromWatch();
  if (process_.unheard()) process_.UserActs();
  PutReport();
  StoreReport();
}

bool TwinGuest::Quiet() const {
  return cloud_.quiet() && copies_.quiet() && process_.quiet() && process_.changed().empty() &&
         puts_.empty() && journal_.empty();
}

void TwinGuest::CheckFinal() {
  process_.CheckFinal();
  for (const auto& [key, device] : cloud_.devices()) {
    if (!device.bound) continue;
    const TwinPtr twin = process_.TwinOf(key);
    const v1::Twin* reported = cloud_.TwinOf(key);
    if (twin == nullptr || reported == nullptr ||
        reported->ShortDebugString() != ToProto(*DeviceName::Parse(key), *twin).ShortDebugString())
      simulation_->Fail(absl::StrCat("the cloud has another twin of ", key, " than the box"));
  }
}

// ---- the hubs ----

void TwinGuest::FromHub(link::SpokeId spoke, uint64_t epoch, link::cloud::SpokeMessage message) {
  cloud_.Receive(spoke, epoch, std::move(message));
}

void TwinGuest::FromEdgeHub(link::SpokeId spoke, link::edge::SpokeMessage message) {
  copies_.Receive(spoke, std::move(message));
}

void TwinGuest::EdgeHubCrashed() {
  copies_.Detached();
  twins_spoke_ = 0;
  // Some of what was on its way is stored; none of it is answered, so all of it is put again.
  for (const Put& put : puts_) process_.changed().insert(put.key);
  for (uint64_t stored = Random(puts_.size() + 1); stored > 0; --stored) StorePut();
  puts_.clear();
  if (!process_.running() || Random(3) != 0) return;
  simulation_->Saw("power loss");
  process_.Crash(Random(2) == 0);
  copies_.EndWatch();
  StartTwins();
}

std::optional<link::edge::ReportStored> TwinGuest::Journalled() const {
  if (journal_.empty()) return std::nullopt;
  return link::edge::ReportStored{kTwinType, last_sequence_};
}

link::edge::ReportsFetched TwinGuest::Fetch(const link::edge::FetchReports& fetch) {
  link::edge::ReportsFetched answer{fetch.connection, kTwinType, {}, false};
  std::map<uint64_t, std::string> by_sequence;
  for (const auto& [key, entry] : journal_) {
    if (entry.sequence > fetch.after) by_sequence[entry.sequence] = key;
  }
  for (const auto& [sequence, key] : by_sequence) {
    answer.more = answer.reports.size() == std::min<size_t>(fetch.count_max, 2);
    if (answer.more) break;
    answer.reports.push_back({sequence, kTwinType, key, 0, {}, journal_.at(key).value});
  }
  return answer;
}

void TwinGuest::Trim(const link::edge::TrimReports& trim) {
  for (auto it = journal_.begin(); it != journal_.end();)
    it = it->second.sequence <= trim.up_to ? journal_.erase(it) : std::next(it);
}

// ---- twin-svc at its neighbours ----

void TwinGuest::AttachTwins() {
  twins_spoke_ = last_twins_spoke_ += 2;
  simulation_->ToEdgeHub(link::edge::SpokeAttached{twins_spoke_, {}, {kTwinType}});
}

void TwinGuest::CrashTwins() {
  if (twins_spoke_ != 0)
    simulation_->ToEdgeHub(link::edge::SpokeDetached{std::exchange(twins_spoke_, 0)});
  for (uint64_t stored = Random(puts_.size() + 1); stored > 0; --stored) StoreReport();
  puts_.clear();
  process_.Crash(Random(2) == 0);
  copies_.EndWatch();
}

void TwinGuest::StartTwins() {
  process_.Start();
  copies_.Watch(/*known=*/false);
}

void TwinGuest::TakeFromWatch() {
  DeviceCopies::Event event;
  if (copies_.TakeEvent(event)) process_.Take(event);
}

void TwinGuest::PutReport() {
  if (twins_spoke_ == 0 || process_.changed().empty()) return;
  auto it = process_.changed().begin();
  std::advance(it, Random(process_.changed().size()));
  const std::string key = *it;
  process_.changed().erase(it);
  const TwinPtr twin = process_.TwinOf(key);
  if (twin == nullptr) return;  // Nothing is said of a device that is gone.
  v1::TwinReport report;
  *report.mutable_twin() = ToProto(*DeviceName::Parse(key), *twin);
  puts_.push_back({key, report.SerializeAsString()});
}

void TwinGuest::StoreReport() {
  if (puts_.empty()) return;
  StorePut();
  simulation_->ToEdgeHub(link::edge::ReportStored{kTwinType, last_sequence_});
}

void TwinGuest::StorePut() {
  journal_[puts_.front().key] = {++last_sequence_, std::move(puts_.front().value)};
  puts_.pop_front();
}

}  // namespace skerry::twin
