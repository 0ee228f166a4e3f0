#include "services/cloudhub-svc/service/spoke_wire.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/wire.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::cloudhub {
namespace {

namespace cloud = link::cloud;

void SetSession(const SpokeMessage& message, v1::NodeSession* session) {
  session->set_node(message.node);
  session->set_epoch(message.epoch);
}

struct Writer {
  const SpokeMessage& from;
  v1::HubFrame out;

  void operator()(const cloud::NodeConnected&) {
    v1::NodeConnected* m = out.mutable_node_connected();
    SetSession(from, m->mutable_session());
    const int64_t micros = absl::ToUnixMicros(from.connect_time);
    m->mutable_connect_time()->set_seconds(micros / 1000000);
    m->mutable_connect_time()->set_nanos(static_cast<int32_t>(micros % 1000000) * 1000);
    m->set_software_version(from.software_version);
    m->set_peer(from.peer);
    m->set_event_store_id(from.event_store_id);
  }
  void operator()(cloud::NodeDisconnected& body) {
    SetSession(from, out.mutable_node_disconnected()->mutable_session());
    out.mutable_node_disconnected()->set_reason(std::move(body.reason));
  }
  void operator()(cloud::Subscribed& body) {
    v1::Subscribed* m = out.mutable_subscribed();
    SetSession(from, m->mutable_session());
    m->set_type(std::move(body.subscribe.type));
    m->set_subscription_id(body.subscribe.subscription_id);
    m->set_more(body.subscribe.more);
    for (link::Holding& holding : body.subscribe.holdings) {
      link::v1::Holding* h = m->add_holdings();
      h->set_key(std::move(holding.key));
      h->set_version(std::move(holding.version));
    }
  }
  void operator()(cloud::Unsubscribed& body) {
    v1::Unsubscribed* m = out.mutable_unsubscribed();
    SetSession(from, m->mutable_session());
    m->set_type(std::move(body.type));
    m->set_subscription_id(body.subscription_id);
  }
  void operator()(cloud::PushDone& body) {
    v1::PushDone* m = out.mutable_push_done();
    SetSession(from, m->mutable_session());
    m->set_type(std::move(body.type));
    m->set_subscription_id(body.subscription_id);
    for (link::PushOutcome& outcome : body.outcomes) {
      v1::PushDone::Item* item = m->add_items();
      item->set_key(std::move(outcome.key));
      item->set_version(std::move(outcome.version));
      *item->mutable_status() = rpc::ToProto(outcome.status);
    }
  }
  void operator()(cloud::NodeReport& body) {
    SetSession(from, out.mutable_report()->mutable_session());
    *out.mutable_report()->mutable_report() = link::ToWire(std::move(body.report));
  }
  void operator()(cloud::NodeEvents& body) {
    v1::NodeEvents* m = out.mutable_events();
    SetSession(from, m->mutable_session());
    m->set_stream(std::move(body.batch.stream));
    link::EventsToWire(std::move(body.batch.events), *m->mutable_events());
  }
};

}  // namespace

v1::HubFrame ToWire(SpokeMessage message) {
  Writer writer{message, {}};
  std::visit(writer, message.body);
  return std::move(writer.out);
}

absl::StatusOr<cloud::Push> FromWire(link::SpokeId spoke, v1::Push message) {
  cloud::Push push;
  push.spoke = spoke;
  push.type = std::move(*message.mutable_type());
  push.subscription_id = message.subscription_id();
  switch (message.change_case()) {
    case v1::Push::kUpsert:
      push.change = {link::Change::Kind::kUpsert,
                     std::move(*message.mutable_upsert()->mutable_key()),
                     std::move(*message.mutable_upsert()->mutable_version()),
                     std::move(*message.mutable_upsert()->mutable_object())};
      return push;
    case v1::Push::kDelete:
      push.change = {link::Change::Kind::kDelete,
                     std::move(*message.mutable_delete_()->mutable_key()), "", ""};
      return push;
    case v1::Push::kSynced:
      push.change.kind = link::Change::Kind::kSynced;
      return push;
    default:
      return SpokeError("a Push without a change");
  }
}

absl::StatusOr<cloud::EventsDone> FromWire(link::SpokeId spoke, v1::EventsDone message) {
  cloud::EventsDone done{spoke, {std::move(*message.mutable_stream()), message.sequence(), {}}};
  SKERRY_ASSIGN_OR_RETURN(done.ack.rejections, link::RejectionsFromWire(message.rejections()));
  return done;
}

absl::Status CheckRegister(const v1::Register& message) {
  if (message.spoke().empty() || message.spoke().size() > 256) {
    return SpokeError("`spoke` must have 1 to 256 bytes");
  }
  if (message.resource_types_size() + message.report_types_size() + message.event_streams_size() ==
      0) {
    return SpokeError("a spoke must register at least one type or stream");
  }
  if (static_cast<size_t>(message.resource_types_size()) > link::kSubscriptionsMax ||
      static_cast<size_t>(message.report_types_size()) > link::kReportTypesMax ||
      static_cast<size_t>(message.event_streams_size()) > link::kEventStreamsMax) {
    return SpokeError("too many types or streams");
  }
  for (const std::string& type : message.resource_types())
    SKERRY_RETURN_IF_ERROR(link::CheckType(type));
  for (const std::string& type : message.report_types())
    SKERRY_RETURN_IF_ERROR(link::CheckType(type));
  for (const std::string& stream : message.event_streams())
    SKERRY_RETURN_IF_ERROR(link::CheckType(stream));
  return absl::OkStatus();
}

absl::Status SpokeError(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message).Reason("SPOKE_PROTOCOL_ERROR");
}

}  // namespace skerry::cloudhub
