#include "services/eventbus-svc/runner/announcer.h"

#include <utility>

#include "services/eventbus-svc/core/topics.h"
#include "services/eventbus-svc/core/twin_documents.h"
#include "services/eventbus-svc/wire/twin_messages.h"

namespace skerry::eventbus {
namespace {

constexpr size_t kPropertyBytes = 256;  // In memory, besides its text, roughly.

size_t BytesOf(const TwinProperties& properties) {
  size_t bytes = 0;
  for (const auto& [name, property] : properties) {
    bytes += kPropertyBytes + name.size() + property.type.size() +
             property.expected.value.value_or("").size() +
             property.actual.value.value_or("").size();
  }
  return bytes;
}

bool IsEmpty(const BusChange& change) {
  return change.publish.empty() && change.withdrawn.empty() && change.seen.empty();
}

}  // namespace

Announcer::Announcer(const Options& options, std::map<DeviceName, SeenTwin> seen, Journal& journal,
                     exec::SerialExecutor& executor, const Heads& heads, Refetch refetch,
                     BusMetrics& metrics, log::Logger log)
    : options_(options),
      journal_(journal),
      executor_(executor),
      heads_(heads),
      refetch_(std::move(refetch)),
      metrics_(metrics),
      log_(std::move(log)),
      seen_(std::move(seen)) {}

void Announcer::OnTwin(const DeviceName& device, const twin::v1::Twin& twin) {
  const auto it = known_.find(device);
  Known* known = it == known_.end() ? nullptr : &it->second;
  BusChange change;
  if (known == nullptr || known->stale || known->uid != twin.uid() ||
      known->version < twin.version()) {
    TwinProperties current = PropertiesOf(twin);
    change = ChangeOf(device, twin, current, known);
    if (known == nullptr) {
      known = &known_.emplace(device, Known{.summary = {.name = device}}).first->second;
      seen_.erase(device);
    }
    Remember(twin, std::move(current), *known);
  }
  known->summary = SummaryOf(device, twin.state());
  known->snapshot = snapshot_;
  if (!IsEmpty(change)) Submit(device, std::move(change));
}

bool Announcer::OnNamed(const DeviceName& device) {
  const auto it = known_.find(device);
  if (it == known_.end()) return false;
  it->second.snapshot = snapshot_;
  return true;
}

BusChange Announcer::ChangeOf(const DeviceName& device, const twin::v1::Twin& twin,
                              const TwinProperties& current, const Known* known) {
  BusChange change;
  std::optional<SeenTwin> told;
  if (known != nullptr) {
    told = SeenTwin{known->uid, known->stale ? 0 : known->version};
  } else if (const auto it = seen_.find(device); it != seen_.end()) {
    told = it->second;
  }
  const SeenTwin now = {twin.uid(), twin.version()};
  if (told == now) return change;
  change.seen[device] = now;
  if (told.has_value() && told->uid == now.uid) {
    if (known == nullptr || known->stale || !known->properties.has_value()) {
      metrics_.documents_skipped.Increment();
    } else {
      const auto transitions = TransitionsBetween(*known->properties, current);
      if (transitions.empty()) return change;
      AddDocument(device, heads_.NewId(), transitions, change);
    }
  } else {
    if (told.has_value()) AddMembership(device, false, change);
    AddMembership(device, true, change);
  }
  AddDelta(device, current, change);
  return change;
}

BusChange Announcer::AfterWrite(const DeviceName& device, const twin::v1::Twin& before,
                                const twin::v1::Twin& after, const TwinWrite& write,
                                const std::string& event_id) {
  OnTwin(device, before);  // What others changed since we last looked, first.
  TwinProperties last = PropertiesOf(before);
  TwinProperties current = PropertiesOf(after);
  BusChange change;
  change.publish.push_back(
      {.topic = TwinUpdateResultTopic(device),
       .payload = UpdateResultJson(heads_.For(event_id), ChangesOf(write, current))});
  if (before.version() != after.version()) {
    AddDocument(device, event_id, TransitionsBetween(last, current), change);
  }
  AddDelta(device, current, change);
  Known& known = known_.at(device);
  // A repeat of an old request is answered with an old twin.
  if (known.uid == after.uid() && known.version <= after.version()) {
    change.seen[device] = {after.uid(), after.version()};
    Remember(after, std::move(current), known);
  }
  return change;
}

void Announcer::OnNotStored(const DeviceName& device) {
  const auto it = known_.find(device);
  if (it == known_.end()) return;
  it->second.stale = true;
  stale_.insert(device);
  RetryLater();
}

void Announcer::RetryLater() {
  if (stale_.empty() || std::exchange(retry_posted_, true)) return;
  executor_.PostAfter(options_.retry, [this] {
    retry_posted_ = false;
    RetryNext();
  });
}

// One at a time: where the disk does not take them, that can be all devices.
void Announcer::RetryNext() {
  while (!stale_.empty()) {
    const DeviceName device = *stale_.begin();
    stale_.erase(stale_.begin());
    const auto it = known_.find(device);
    if (it == known_.end() || !it->second.stale) continue;
    refetch_(device);
    break;
  }
  RetryLater();
}

void Announcer::OnTwinDeleted(const DeviceName& device) {
  if (known_.count(device) == 0 && seen_.count(device) == 0) return;  // Nobody was told of it.
  BusChange change;
  change.withdrawn = {TwinUpdateDeltaTopic(device), TwinUpdateDocumentTopic(device)};
  change.seen[device] = std::nullopt;
  AddMembership(device, false, change);
  if (const auto it = known_.find(device); it != known_.end()) {
    Forget(it->second);
    known_.erase(it);
  }
  seen_.erase(device);
  Show();
  journal_.Submit(std::move(change));
}

void Announcer::OnConnected(bool connected) {
  if (connected) ++snapshot_;
  if (!connected) synced_ = false;
  metrics_.twins_connected.Set(synced_ ? 1 : 0);
}

void Announcer::OnSynced() {
  std::vector<DeviceName> gone;
  for (const auto& [device, seen] : seen_) gone.push_back(device);
  for (const auto& [device, known] : known_) {
    if (known.snapshot != snapshot_) gone.push_back(device);
  }
  for (const DeviceName& device : gone) OnTwinDeleted(device);
  synced_ = true;
  metrics_.twins_connected.Set(1);
  log_.Info("the twins of the box are known", {{"devices", uint64_t{known_.size()}}});
}

std::vector<DeviceSummary> Announcer::devices() const {
  std::vector<DeviceSummary> devices;
  for (const auto& [device, known] : known_) devices.push_back(known.summary);
  return devices;
}

const TwinProperties* Announcer::Find(const DeviceName& device) const {
  const auto it = known_.find(device);
  return it == known_.end() || !it->second.properties.has_value() ? nullptr
                                                                  : &*it->second.properties;
}

void Announcer::AddDocument(const DeviceName& device, const std::string& event_id,
                            const std::map<std::string, PropertyTransition>& transitions,
                            BusChange& change) const {
  change.publish.push_back({.topic = TwinUpdateDocumentTopic(device),
                            .payload = UpdateDocumentJson(heads_.For(event_id), transitions),
                            .state = true});
}

void Announcer::AddDelta(const DeviceName& device, const TwinProperties& twin,
                         BusChange& change) const {
  std::string topic = TwinUpdateDeltaTopic(device);
  if (std::optional<std::string> delta = DeltaJson(heads_.New(), twin)) {
    change.publish.push_back(
        {.topic = std::move(topic), .payload = *std::move(delta), .state = true});
  } else {
    change.withdrawn.push_back(std::move(topic));
  }
}

void Announcer::AddMembership(const DeviceName& device, bool added, BusChange& change) const {
  const std::vector<DeviceSummary> one = {{.name = device}};
  change.publish.push_back({.topic = MembershipUpdatedTopic(options_.node),
                            .payload = added ? MembershipUpdatedJson(heads_.New(), one, {})
                                             : MembershipUpdatedJson(heads_.New(), {}, one)});
}

void Announcer::Remember(const twin::v1::Twin& twin, TwinProperties properties, Known& known) {
  Forget(known);
  known.uid = twin.uid();
  known.version = twin.version();
  known.stale = false;
  const size_t bytes = BytesOf(properties);
  if (cached_bytes_ + bytes <= options_.cache_bytes_max) {
    known.properties = std::move(properties);
    known.bytes = bytes;
    cached_bytes_ += bytes;
  }
  Show();
}

void Announcer::Forget(Known& known) {
  cached_bytes_ -= known.bytes;
  known.bytes = 0;
  known.properties.reset();
}

void Announcer::Submit(const DeviceName& device, BusChange change) {
  journal_.Submit(std::move(change), [this, device](const absl::Status& status) {
    executor_.Post(
        [this, device, stored = status.ok()] { stored ? RetryNext() : OnNotStored(device); });
  });
}

void Announcer::Show() {
  metrics_.devices.Set(static_cast<double>(known_.size()));
  metrics_.twins_cached_bytes.Set(static_cast<double>(cached_bytes_));
}

}  // namespace skerry::eventbus
