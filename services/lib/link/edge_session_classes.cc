// The classes of traffic of an EdgeSession: resource sync and report.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/link/edge_session.h"

namespace skerry::link {

// ---- resource sync ----

void EdgeSession::RequestSubscription(const std::string& type, Resource& resource) {
  resource.receiver.Request(next_subscription_id_++);
  ToSpoke(resource.spoke, edge::SubscribeRequest{type, resource.receiver.requested_id()});
}

void EdgeSession::Receive(Resync frame) {
  auto it = resources_.find(frame.type);
  if (it != resources_.end()) RequestSubscription(frame.type, it->second);
}

void EdgeSession::On(edge::SpokeSubscribe event) {
  Resource* resource = Owned(event.spoke, event.subscribe.type);
  if (resource == nullptr) return Count(edge::Incident::kStaleSubscribe);
  absl::StatusOr<bool> current = resource->receiver.Subscribed(event.subscribe);
  if (!current.ok()) {
    Emit(edge::CloseSpoke{event.spoke, current.status()});
    return On(edge::SpokeDetached{event.spoke});
  }
  if (!*current) return Count(edge::Incident::kStaleSubscribe);
  Send(std::move(event.subscribe));
}

void EdgeSession::Receive(ResourceChange frame) {
  auto it = resources_.find(frame.type);
  if (it == resources_.end()) return Count(edge::Incident::kStaleChange);
  absl::StatusOr<bool> current = it->second.receiver.Receive(frame);
  if (!current.ok()) return Hangup(current.status());
  if (!*current) return Count(edge::Incident::kStaleChange);
  ToSpoke(it->second.spoke, std::move(frame));
}

void EdgeSession::On(edge::ResourceDone event) {
  Resource* resource = Owned(event.spoke, event.ack.type);
  if (resource == nullptr) return Count(edge::Incident::kStaleDone);
  absl::StatusOr<bool> current = resource->receiver.Done(event.ack);
  if (!current.ok()) {
    Emit(edge::CloseSpoke{event.spoke, current.status()});
    return On(edge::SpokeDetached{event.spoke});
  }
  if (!*current) return Count(edge::Incident::kStaleDone);
  Send(std::move(event.ack));
}

// ---- report ----

ReportSender& EdgeSession::Reports(const std::string& type) {
  return reports_.emplace(type, ReportSender(type)).first->second;
}

void EdgeSession::On(edge::ReportStored event) {
  ReportSender& sender = Reports(event.type);
  sender.Stored(event.sequence);
  if (connected()) PumpReports(event.type, sender);
}

void EdgeSession::PumpReports(const std::string& type, ReportSender& sender) {
  std::optional<ReportSender::Fetch> fetch = sender.NextFetch();
  if (!fetch.has_value()) return;
  Emit(edge::FetchReports{connection_, type, fetch->after, fetch->count_max, fetch->bytes_max});
}

void EdgeSession::On(edge::ReportsFetched event) {
  if (event.connection != connection_ || !connected()) return;
  ReportSender& sender = Reports(event.type);
  for (Report& report : event.reports) {
    sender.Sent(report);
    Send(std::move(report));
  }
  sender.Fetched(event.more);
  PumpReports(event.type, sender);
}

void EdgeSession::Receive(ReportAck frame) {
  auto it = reports_.find(frame.type);
  if (it == reports_.end()) {
    return Hangup(Violation(
        "link-5.5", absl::StrCat("ack of reports of ", frame.type, ", which were never sent")));
  }
  absl::Status status = it->second.Ack(frame.sequence);
  if (!status.ok()) return Hangup(std::move(status));
  Emit(edge::TrimReports{frame.type, frame.sequence, std::move(frame.rejections)});
  PumpReports(it->first, it->second);
}

}  // namespace skerry::link
