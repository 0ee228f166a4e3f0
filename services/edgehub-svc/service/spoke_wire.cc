#include "services/edgehub-svc/service/spoke_wire.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/wire.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edgehub {
namespace {

constexpr size_t kProducerBytesMax = 256;
constexpr size_t kCommandStatusBytesMax = 16u << 10;

struct Writer {
  v1::HubFrame out;

  void operator()(LinkStateChange& body) {
    v1::LinkState* m = out.mutable_link_state();
    m->set_connected(body.connected);
    SetTime(body.change_time, m->mutable_change_time());
    m->set_reason(std::move(body.reason));
  }
  void operator()(link::edge::SubscribeRequest& body) {
    out.mutable_subscribe_request()->set_type(std::move(body.type));
    out.mutable_subscribe_request()->set_subscription_id(body.subscription_id);
  }
  void operator()(link::ResourceChange& body) {
    *out.mutable_resource() = link::ToWire(std::move(body));
  }
  void operator()(link::edge::CommandRequest& body) {
    v1::CommandRequest* m = out.mutable_command_request();
    m->set_key(std::move(body.key));
    m->set_type(std::move(body.type));
    m->set_payload(std::move(body.payload));
    link::ToProtoDuration(body.deadline, *m->mutable_deadline());
  }
  void operator()(link::edge::TunnelRequest& body) {
    v1::TunnelRequest* m = out.mutable_tunnel_request();
    m->set_epoch(body.epoch);
    m->set_tunnel_id(body.tunnel);
    m->set_type(std::move(body.type));
    m->set_target(std::move(body.target));
  }
  void operator()(ReportStored& body) {
    out.mutable_report_stored()->set_request_id(body.request_id);
    *out.mutable_report_stored()->mutable_status() = rpc::ToProto(body.status);
  }
  void operator()(EventsStored& body) {
    out.mutable_events_stored()->set_request_id(body.request_id);
    out.mutable_events_stored()->set_stored(body.stored);
    *out.mutable_events_stored()->mutable_status() = rpc::ToProto(body.status);
  }
};

}  // namespace

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

v1::HubFrame ToWire(SpokeMessage message) {
  Writer writer;
  std::visit(writer, message);
  return std::move(writer.out);
}

void ToWire(const EdgeHub::Snapshot& snapshot, v1::EdgeHubStatus& out) {
  out.mutable_link()->set_connected(snapshot.connected);
  out.mutable_link()->set_reason(snapshot.reason);
  SetTime(snapshot.change_time, out.mutable_link()->mutable_change_time());
  out.set_epoch(snapshot.epoch);
  if (snapshot.next_dial_time != absl::InfiniteFuture()) {
    SetTime(snapshot.next_dial_time, out.mutable_next_dial_time());
  }
  for (const EdgeHub::TypeStatus& type : snapshot.types) {
    v1::TypeStatus* m = out.add_types();
    m->set_type(type.type);
    m->set_spoke(type.spoke);
    m->set_synced(type.synced);
    m->set_last_sequence(type.last_sequence);
  }
  v1::JournalStatus* journal = out.mutable_journal();
  journal->set_entries(snapshot.journal.entries);
  journal->set_size_bytes(snapshot.journal.size_bytes);
  if (snapshot.journal.entries > 0)
    SetTime(snapshot.journal.oldest_time, journal->mutable_oldest_time());
  journal->set_last_sequence(snapshot.journal.last_sequence);
  journal->set_acked_sequence(snapshot.journal.acked_sequence);
  for (const auto& [name, stats] : snapshot.streams) {
    v1::StreamStatus* m = out.add_streams();
    m->set_stream(name);
    m->set_entries(stats.entries);
    m->set_size_bytes(stats.size_bytes);
    m->set_last_sequence(stats.last_sequence);
    if (stats.entries > 0) SetTime(stats.oldest_time, m->mutable_oldest_time());
  }
  for (const EdgeHubMetrics::ClassBytes& bytes : snapshot.traffic) {
    v1::TrafficStatus* m = out.add_traffic();
    m->set_frame_class(bytes.frame_class);
    m->set_up_bytes(bytes.up);
    m->set_down_bytes(bytes.down);
  }
  if (snapshot.limit.bytes_per_second == 0) return;
  v1::BudgetStatus* budget = out.mutable_budget();
  budget->set_bytes_per_second(snapshot.limit.bytes_per_second);
  budget->set_burst_bytes(snapshot.limit.burst_bytes);
  budget->set_left_bytes(snapshot.budget_left_bytes);
  budget->set_awaited(snapshot.budget_awaited);
  link::ToProtoDuration(snapshot.budget_waited, *budget->mutable_waited());
}

absl::Status CheckRegister(const v1::Register& message) {
  if (message.spoke().empty() || message.spoke().size() > 256) {
    return SpokeError("`spoke` must have 1 to 256 bytes");
  }
  if (message.resource_types_size() + message.report_types_size() + message.event_streams_size() +
          message.tunnel_types_size() + message.command_types_size() ==
      0) {
    return SpokeError("a spoke must register at least one type or stream");
  }
  if (static_cast<size_t>(message.resource_types_size()) > link::kSubscriptionsMax ||
      static_cast<size_t>(message.report_types_size()) > link::kReportTypesMax ||
      static_cast<size_t>(message.event_streams_size()) > link::kEventStreamsMax ||
      static_cast<size_t>(message.tunnel_types_size()) > link::kTunnelTypesMax ||
      static_cast<size_t>(message.command_types_size()) > link::kCommandTypesMax) {
    return SpokeError("too many types or streams");
  }
  for (const std::string& type : message.resource_types())
    SKERRY_RETURN_IF_ERROR(link::CheckType(type));
  for (const std::string& type : message.report_types())
    SKERRY_RETURN_IF_ERROR(link::CheckType(type));
  for (const v1::EventStream& stream : message.event_streams())
    SKERRY_RETURN_IF_ERROR(link::CheckType(stream.name()));
  for (const std::string& type : message.tunnel_types())
    SKERRY_RETURN_IF_ERROR(link::CheckType(type));
  for (const std::string& type : message.command_types())
    SKERRY_RETURN_IF_ERROR(link::CheckType(type));
  return absl::OkStatus();
}

std::vector<EventStream> StreamsOf(const v1::Register& message) {
  std::vector<EventStream> streams;
  for (const v1::EventStream& stream : message.event_streams()) {
    EventStream out{stream.name()};
    if (stream.priority() == v1::EventStream::PRIORITY_ALARM)
      out.priority = link::EventPriority::kAlarm;
    if (stream.priority() == v1::EventStream::PRIORITY_BULK)
      out.priority = link::EventPriority::kBulk;
    if (stream.when_full() == v1::EventStream::WHEN_FULL_REFUSE) out.when_full = WhenFull::kRefuse;
    streams.push_back(std::move(out));
  }
  return streams;
}

absl::StatusOr<std::vector<NewEvent>> FromWire(v1::PutEvents message) {
  SKERRY_RETURN_IF_ERROR(link::CheckType(message.stream()));
  if (message.producer().size() > kProducerBytesMax) {
    return InvalidField("producer", absl::StrCat(message.producer().size(), " bytes"),
                        absl::StrCat("give at most ", kProducerBytesMax, " bytes"));
  }
  if (message.events().empty() ||
      static_cast<size_t>(message.events_size()) > link::kEventsPerFrameMax) {
    return InvalidField("events", absl::StrCat(message.events_size(), " events"),
                        absl::StrCat("put 1 to ", link::kEventsPerFrameMax));
  }
  std::vector<NewEvent> events;
  uint64_t last = 0;
  for (v1::PutEvents::Event& event : *message.mutable_events()) {
    const uint64_t number = event.producer_sequence();
    if (!message.producer().empty() && (number <= last || number > INT64_MAX)) {
      return InvalidField("producer_sequence", absl::StrCat(number),
                          absl::StrCat("give a number above ", last, " and below 2^63"));
    }
    last = number;
    if (event.key().size() > link::kKeyBytesMax || event.value().size() > link::kEventBytesMax) {
      return InvalidField("events",
                          absl::StrCat(event.key().size(), " and ", event.value().size(), " bytes"),
                          absl::StrCat("give a key of at most ", link::kKeyBytesMax,
                                       " and a value of at most ", link::kEventBytesMax, " bytes"));
    }
    events.push_back({message.stream(), message.producer(), number,
                      link::FromProtoTime(event.time()), std::move(*event.mutable_key()),
                      std::move(*event.mutable_value())});
  }
  return events;
}

absl::StatusOr<link::Subscribe> FromWire(v1::Subscribe message) {
  SKERRY_RETURN_IF_ERROR(link::CheckType(message.type()));
  link::Subscribe subscribe{
      std::move(*message.mutable_type()), message.subscription_id(), {}, message.more()};
  SKERRY_ASSIGN_OR_RETURN(subscribe.holdings,
                          link::HoldingsFromWire(std::move(*message.mutable_holdings())));
  return subscribe;
}

absl::StatusOr<link::ResourceAck> FromWire(v1::ResourceDone message) {
  SKERRY_RETURN_IF_ERROR(link::CheckType(message.type()));
  link::ResourceAck ack{
      std::move(*message.mutable_type()), message.subscription_id(), message.sequence(), {}};
  SKERRY_ASSIGN_OR_RETURN(ack.rejections, link::RejectionsFromWire(message.rejections()));
  return ack;
}

link::edge::CommandDone FromWire(v1::CommandDone message) {
  link::edge::CommandDone done;
  done.key = std::move(*message.mutable_key());
  if (message.response().size() > link::kCommandBytesMax ||
      message.status().ByteSizeLong() > kCommandStatusBytesMax) {
    done.status =
        Error(absl::StatusCode::kResourceExhausted,
              absl::StrCat("the command was executed, and answered with a response of ",
                           message.response().size(), " and a status of ",
                           message.status().ByteSizeLong(), " bytes; at most ",
                           link::kCommandBytesMax, " and ", kCommandStatusBytesMax, " are allowed"))
            .Reason("COMMAND_RESPONSE_TOO_LARGE");
    return done;
  }
  done.status = rpc::FromProto(message.status());
  done.response = std::move(*message.mutable_response());
  return done;
}

absl::Status SpokeError(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message).Reason("SPOKE_PROTOCOL_ERROR");
}

}  // namespace skerry::edgehub
