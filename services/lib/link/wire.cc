#include "services/lib/link/wire.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::link {
namespace {

constexpr size_t kTextBytesMax = 256;  // Ids, versions and reasons.

absl::Status CheckBytes(absl::string_view field, size_t bytes, size_t bytes_max) {
  if (bytes <= bytes_max) return absl::OkStatus();
  return Violation("link-7.1", absl::StrCat(field, " has ", bytes, " bytes, at most ", bytes_max,
                                            " are allowed"));
}

absl::Status CheckKey(const std::string& key) {
  if (key.empty()) return Violation("link-7.1", "a key is empty");
  return CheckBytes("key", key.size(), kKeyBytesMax);
}

absl::StatusOr<absl::Duration> ParseInterval(const google::protobuf::Duration& message) {
  const absl::Duration interval = FromProtoDuration(message);
  if (interval < absl::ZeroDuration()) return Violation("link-3.1", "an interval is below 0");
  return interval;
}

template <typename Message>
bool AcceptsDeflate(const Message& message) {
  return std::find(message.accepts().begin(), message.accepts().end(), v1::COMPRESSION_DEFLATE) !=
         message.accepts().end();
}

absl::StatusOr<EdgeFrame> ParseHello(v1::Hello& message) {
  if (message.boot_id().empty()) return Violation("link-7.1", "boot_id is empty");
  SKERRY_RETURN_IF_ERROR(CheckBytes("boot_id", message.boot_id().size(), kTextBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckBytes("journal_id", message.journal_id().size(), kTextBytesMax));
  SKERRY_RETURN_IF_ERROR(
      CheckBytes("software_version", message.software_version().size(), kTextBytesMax));
  SKERRY_RETURN_IF_ERROR(
      CheckBytes("event_store_id", message.event_store_id().size(), kTextBytesMax));
  SKERRY_ASSIGN_OR_RETURN(const absl::Duration heartbeat_interval_max,
                          ParseInterval(message.heartbeat_interval_max()));
  const ByteLimit down_limit{message.down_bytes_per_second(), message.down_burst_bytes()};
  if (down_limit != ByteLimit{} &&
      (down_limit.bytes_per_second < kBudgetRateMin ||
       down_limit.bytes_per_second > kBudgetRateMax || down_limit.burst_bytes < kBudgetBurstMin ||
       down_limit.burst_bytes > kBudgetBurstMax)) {
    return Violation("link-14.1",
                     absl::StrCat("down_bytes_per_second is ", down_limit.bytes_per_second,
                                  " and down_burst_bytes is ", down_limit.burst_bytes,
                                  ", which is not within ", kBudgetRateMin, " to ", kBudgetRateMax,
                                  " and ", kBudgetBurstMin, " to ", kBudgetBurstMax));
  }
  return Hello{message.protocol_version(),
               std::move(*message.mutable_boot_id()),
               std::move(*message.mutable_journal_id()),
               std::move(*message.mutable_software_version()),
               message.stored_epoch(),
               std::move(*message.mutable_event_store_id()),
               heartbeat_interval_max,
               down_limit,
               AcceptsDeflate(message)};
}

absl::StatusOr<EdgeFrame> ParseSubscribe(v1::Subscribe& message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.type()));
  Subscribe frame{
      std::move(*message.mutable_type()), message.subscription_id(), {}, message.more()};
  SKERRY_ASSIGN_OR_RETURN(frame.holdings, HoldingsFromWire(std::move(*message.mutable_holdings())));
  return frame;
}

absl::StatusOr<EdgeFrame> ParseResourceAck(v1::ResourceAck& message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.type()));
  ResourceAck frame{
      std::move(*message.mutable_type()), message.subscription_id(), message.sequence(), {}};
  SKERRY_ASSIGN_OR_RETURN(frame.rejections, RejectionsFromWire(message.rejections()));
  return frame;
}

absl::StatusOr<CloudFrame> ParseReportAck(v1::ReportAck& message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.type()));
  ReportAck frame{std::move(*message.mutable_type()), message.sequence(), {}};
  SKERRY_ASSIGN_OR_RETURN(frame.rejections, RejectionsFromWire(message.rejections()));
  return frame;
}

absl::StatusOr<EdgeFrame> ParseEventBatch(v1::EventBatch& message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.stream()));
  EventBatch frame{std::move(*message.mutable_stream()), {}};
  SKERRY_ASSIGN_OR_RETURN(frame.events, EventsFromWire(std::move(*message.mutable_events())));
  return frame;
}

absl::StatusOr<CloudFrame> ParseEventAck(v1::EventAck& message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.stream()));
  EventAck frame{std::move(*message.mutable_stream()), message.sequence(), {}};
  SKERRY_ASSIGN_OR_RETURN(frame.rejections, RejectionsFromWire(message.rejections()));
  return frame;
}

absl::StatusOr<Rank> ParseRank(v1::Chunk::Rank rank) {
  if (rank < v1::Chunk::RANK_SYNC || rank > v1::Chunk::RANK_BULK)
    return Violation("link-7.2", absl::StrCat("a chunk of rank ", rank, ", which is not known"));
  return static_cast<Rank>(rank - v1::Chunk::RANK_SYNC);
}

absl::StatusOr<Chunk> ParseChunk(v1::Chunk& message) {
  SKERRY_ASSIGN_OR_RETURN(const Rank rank, ParseRank(message.rank()));
  if (message.data().empty()) return Violation("link-7.1", "data of a chunk is empty");
  SKERRY_RETURN_IF_ERROR(CheckBytes("data", message.data().size(), kChunkBytesMax));
  return Chunk{rank, std::move(*message.mutable_data()), message.last()};
}

absl::StatusOr<Compressed> ParseCompressed(v1::Compressed& message) {
  if (message.algorithm() != v1::COMPRESSION_DEFLATE) {
    return Violation("link-13.2",
                     absl::StrCat("algorithm ", message.algorithm(), " was not accepted"));
  }
  SKERRY_ASSIGN_OR_RETURN(const Rank rank, ParseRank(message.rank()));
  if (message.size() == 0 || message.size() > kChunkedBytesMax) {
    return Violation("link-13.3", absl::StrCat("size of a compressed frame is ", message.size(),
                                               ", 1 to ", kChunkedBytesMax, " is allowed"));
  }
  return Compressed{rank, message.size(), std::move(*message.mutable_data())};
}

absl::Status CheckCredit(uint64_t bytes) {
  return CheckBytes("credit", bytes, kTunnelCreditBytesMax);
}

absl::StatusOr<TunnelData> ParseTunnelData(v1::TunnelData& message) {
  if (message.data().empty()) return Violation("link-7.1", "data of a tunnel is empty");
  SKERRY_RETURN_IF_ERROR(CheckBytes("data", message.data().size(), kTunnelDataBytesMax));
  return TunnelData{message.tunnel_id(), std::move(*message.mutable_data())};
}

absl::StatusOr<TunnelCredit> ParseTunnelCredit(const v1::TunnelCredit& message) {
  SKERRY_RETURN_IF_ERROR(CheckCredit(message.bytes()));
  return TunnelCredit{message.tunnel_id(), message.bytes()};
}

absl::StatusOr<CloudFrame> ParseCommand(v1::Command& message) {
  SKERRY_RETURN_IF_ERROR(CheckCommandKey(message.key()));
  SKERRY_RETURN_IF_ERROR(CheckType(message.type()));
  SKERRY_RETURN_IF_ERROR(CheckBytes("payload", message.payload().size(), kCommandBytesMax));
  Command frame;
  frame.deadline = FromProtoDuration(message.deadline());
  frame.expire_in = FromProtoDuration(message.expire_in());
  if (frame.deadline <= absl::ZeroDuration() || frame.deadline > kCommandDeadlineMax) {
    return Violation("link-7.7", "the deadline of a command is not above 0 and at most 24 h");
  }
  if (frame.expire_in < absl::ZeroDuration() || frame.expire_in > kCommandExpiryMax) {
    return Violation("link-7.7", "the expiry of a command is not 0 to 30 days from now");
  }
  frame.key = std::move(*message.mutable_key());
  frame.type = std::move(*message.mutable_type());
  frame.payload = std::move(*message.mutable_payload());
  frame.reexecutable = message.reexecutable();
  return frame;
}

absl::StatusOr<EdgeFrame> ParseCommandReceipt(v1::CommandReceipt& message) {
  SKERRY_RETURN_IF_ERROR(CheckCommandKey(message.key()));
  SKERRY_RETURN_IF_ERROR(CheckBytes("response", message.response().size(), kCommandBytesMax));
  SKERRY_RETURN_IF_ERROR(
      CheckBytes("status", message.status().ByteSizeLong(), kCommandStatusBytesMax));
  CommandReceipt frame;
  switch (message.stage()) {
    case v1::CommandReceipt::STAGE_DELIVERED:
      frame.stage = CommandReceipt::Stage::kDelivered;
      break;
    case v1::CommandReceipt::STAGE_STARTED:
      frame.stage = CommandReceipt::Stage::kStarted;
      break;
    case v1::CommandReceipt::STAGE_RETURNED:
      frame.stage = CommandReceipt::Stage::kReturned;
      break;
    case v1::CommandReceipt::STAGE_DONE:
      frame.stage = CommandReceipt::Stage::kDone;
      break;
    default:
      return Violation("link-7.2", "a receipt of a stage that is not known");
  }
  frame.key = std::move(*message.mutable_key());
  frame.status = rpc::FromProto(message.status());
  frame.response = std::move(*message.mutable_response());
  return frame;
}

absl::StatusOr<EdgeFrame> ParseCommandTakers(v1::CommandTakers& message) {
  if (static_cast<size_t>(message.types_size()) > kCommandTypesMax) {
    return Violation("link-7.7", absl::StrCat(message.types_size(), " types of commands, at most ",
                                              kCommandTypesMax, " are allowed"));
  }
  CommandTakers frame;
  for (std::string& type : *message.mutable_types()) {
    SKERRY_RETURN_IF_ERROR(CheckType(type));
    frame.types.push_back(std::move(type));
  }
  return frame;
}

TunnelClose ParseTunnelClose(const v1::TunnelClose& message) {
  return {message.tunnel_id(), message.half_close(), rpc::FromProto(message.status())};
}

}  // namespace

absl::Duration FromProtoDuration(const google::protobuf::Duration& d) {
  return absl::Seconds(d.seconds()) + absl::Nanoseconds(d.nanos());
}

absl::Time FromProtoTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Status CheckCommandKey(const std::string& key) {
  if (key.empty()) return Violation("link-7.7", "the key of a command is empty");
  return CheckBytes("key", key.size(), kCommandKeyBytesMax);
}

absl::Status CheckType(const std::string& type) {
  SKERRY_RETURN_IF_ERROR(CheckBytes("type", type.size(), kTypeBytesMax));
  absl::StatusOr<ResourceType> parsed = ResourceType::Parse(type);
  if (!parsed.ok()) return Violation("link-7.1", parsed.status().message());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Holding>> HoldingsFromWire(
    google::protobuf::RepeatedPtrField<v1::Holding> holdings) {
  if (static_cast<size_t>(holdings.size()) > kHoldingsPerFrameMax) {
    return Violation("link-7.1", absl::StrCat(holdings.size(), " holdings in one message, at most ",
                                              kHoldingsPerFrameMax, " are allowed"));
  }
  std::vector<Holding> out;
  out.reserve(holdings.size());
  for (v1::Holding& holding : holdings) {
    SKERRY_RETURN_IF_ERROR(CheckKey(holding.key()));
    SKERRY_RETURN_IF_ERROR(CheckBytes("version", holding.version().size(), kVersionBytesMax));
    out.push_back({std::move(*holding.mutable_key()), std::move(*holding.mutable_version())});
  }
  return out;
}

absl::StatusOr<std::vector<StreamEvent>> EventsFromWire(
    google::protobuf::RepeatedPtrField<v1::Event> events) {
  if (events.empty() || static_cast<size_t>(events.size()) > kEventsPerFrameMax) {
    return Violation("link-7.1", absl::StrCat(events.size(), " events in one message, 1 to ",
                                              kEventsPerFrameMax, " are allowed"));
  }
  std::vector<StreamEvent> out;
  out.reserve(static_cast<size_t>(events.size()));
  for (v1::Event& event : events) {
    SKERRY_RETURN_IF_ERROR(CheckBytes("key", event.key().size(), kKeyBytesMax));
    SKERRY_RETURN_IF_ERROR(CheckBytes("value", event.value().size(), kEventBytesMax));
    out.push_back({event.sequence(), event.dropped_before(), FromProtoTime(event.time()),
                   std::move(*event.mutable_key()), std::move(*event.mutable_value())});
  }
  return out;
}

absl::StatusOr<std::vector<Rejection>> RejectionsFromWire(
    const google::protobuf::RepeatedPtrField<v1::Rejection>& rejections) {
  std::vector<Rejection> out;
  out.reserve(rejections.size());
  for (const v1::Rejection& rejection : rejections) {
    out.push_back({rejection.sequence(), rpc::FromProto(rejection.status())});
  }
  return out;
}

absl::StatusOr<Report> FromWire(v1::Report message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.type()));
  SKERRY_RETURN_IF_ERROR(CheckKey(message.key()));
  SKERRY_RETURN_IF_ERROR(CheckBytes("value", message.value().size(), kObjectBytesMax));
  Report report;
  report.sequence = message.sequence();
  report.type = std::move(*message.mutable_type());
  report.key = std::move(*message.mutable_key());
  report.generation = message.generation();
  report.time = {message.time().wall_micros(), message.time().logical()};
  report.value = std::move(*message.mutable_value());
  return report;
}

absl::StatusOr<ResourceChange> FromWire(v1::ResourceChange message) {
  SKERRY_RETURN_IF_ERROR(CheckType(message.type()));
  ResourceChange frame;
  frame.type = std::move(*message.mutable_type());
  frame.subscription_id = message.subscription_id();
  frame.sequence = message.sequence();
  switch (message.change_case()) {
    case v1::ResourceChange::kUpsert: {
      v1::Upsert* upsert = message.mutable_upsert();
      SKERRY_RETURN_IF_ERROR(CheckKey(upsert->key()));
      SKERRY_RETURN_IF_ERROR(CheckBytes("version", upsert->version().size(), kVersionBytesMax));
      SKERRY_RETURN_IF_ERROR(CheckBytes("object", upsert->object().size(), kObjectBytesMax));
      frame.change = {Change::Kind::kUpsert, std::move(*upsert->mutable_key()),
                      std::move(*upsert->mutable_version()), std::move(*upsert->mutable_object())};
      return frame;
    }
    case v1::ResourceChange::kDelete:
      SKERRY_RETURN_IF_ERROR(CheckKey(message.delete_().key()));
      frame.change = {Change::Kind::kDelete, message.delete_().key(), "", ""};
      return frame;
    case v1::ResourceChange::kSynced:
      frame.change.kind = Change::Kind::kSynced;
      return frame;
    default:
      return Violation("link-7.2", "a change of a kind that is not known");
  }
}

absl::StatusOr<EdgeFrame> FromWire(v1::EdgeFrame message) {
  switch (message.body_case()) {
    case v1::EdgeFrame::kHello:
      return ParseHello(*message.mutable_hello());
    case v1::EdgeFrame::kSubscribe:
      return ParseSubscribe(*message.mutable_subscribe());
    case v1::EdgeFrame::kUnsubscribe:
      SKERRY_RETURN_IF_ERROR(CheckType(message.unsubscribe().type()));
      return Unsubscribe{message.unsubscribe().type(), message.unsubscribe().subscription_id()};
    case v1::EdgeFrame::kResourceAck:
      return ParseResourceAck(*message.mutable_resource_ack());
    case v1::EdgeFrame::kReport: {
      SKERRY_ASSIGN_OR_RETURN(Report report, FromWire(std::move(*message.mutable_report())));
      return report;
    }
    case v1::EdgeFrame::kHeartbeat: {
      SKERRY_ASSIGN_OR_RETURN(const absl::Duration interval,
                              ParseInterval(message.heartbeat().interval()));
      return Heartbeat{interval};
    }
    case v1::EdgeFrame::kEpochStored:
      return EpochStored{};
    case v1::EdgeFrame::kEvents:
      return ParseEventBatch(*message.mutable_events());
    case v1::EdgeFrame::kChunk: {
      SKERRY_ASSIGN_OR_RETURN(Chunk chunk, ParseChunk(*message.mutable_chunk()));
      return chunk;
    }
    case v1::EdgeFrame::kCompressed: {
      SKERRY_ASSIGN_OR_RETURN(Compressed part, ParseCompressed(*message.mutable_compressed()));
      return part;
    }
    case v1::EdgeFrame::kCommandReceipt:
      return ParseCommandReceipt(*message.mutable_command_receipt());
    case v1::EdgeFrame::kCommandTakers:
      return ParseCommandTakers(*message.mutable_command_takers());
    case v1::EdgeFrame::kTunnelAccept:
      SKERRY_RETURN_IF_ERROR(CheckCredit(message.tunnel_accept().credit()));
      return TunnelAccept{message.tunnel_accept().tunnel_id(), message.tunnel_accept().credit()};
    case v1::EdgeFrame::kTunnelData: {
      SKERRY_ASSIGN_OR_RETURN(TunnelData data, ParseTunnelData(*message.mutable_tunnel_data()));
      return data;
    }
    case v1::EdgeFrame::kTunnelCredit: {
      SKERRY_ASSIGN_OR_RETURN(TunnelCredit credit, ParseTunnelCredit(message.tunnel_credit()));
      return credit;
    }
    case v1::EdgeFrame::kTunnelClose:
      return ParseTunnelClose(message.tunnel_close());
    default:
      return Violation("link-7.2", "a frame of a kind that is not known");
  }
}

absl::StatusOr<CloudFrame> FromWire(v1::CloudFrame message) {
  switch (message.body_case()) {
    case v1::CloudFrame::kWelcome:
      SKERRY_RETURN_IF_ERROR(CheckBytes("hub", message.welcome().hub().size(), kTextBytesMax));
      return Welcome{message.welcome().epoch(),
                     FromProtoDuration(message.welcome().heartbeat_interval()),
                     message.welcome().hub(), FromProtoTime(message.welcome().cloud_time()),
                     AcceptsDeflate(message.welcome())};
    case v1::CloudFrame::kResource: {
      SKERRY_ASSIGN_OR_RETURN(ResourceChange change,
                              FromWire(std::move(*message.mutable_resource())));
      return change;
    }
    case v1::CloudFrame::kReportAck:
      return ParseReportAck(*message.mutable_report_ack());
    case v1::CloudFrame::kHeartbeat: {
      SKERRY_ASSIGN_OR_RETURN(const absl::Duration interval,
                              ParseInterval(message.heartbeat().interval()));
      return Heartbeat{interval};
    }
    case v1::CloudFrame::kEventAck:
      return ParseEventAck(*message.mutable_event_ack());
    case v1::CloudFrame::kCommand:
      return ParseCommand(*message.mutable_command());
    case v1::CloudFrame::kResync:
      SKERRY_RETURN_IF_ERROR(CheckType(message.resync().type()));
      return Resync{message.resync().type()};
    case v1::CloudFrame::kGoAway:
      SKERRY_RETURN_IF_ERROR(
          CheckBytes("reason", message.go_away().reason().size(), kTextBytesMax));
      return GoAway{message.go_away().reason(), FromProtoDuration(message.go_away().retry_after())};
    case v1::CloudFrame::kChunk: {
      SKERRY_ASSIGN_OR_RETURN(Chunk chunk, ParseChunk(*message.mutable_chunk()));
      return chunk;
    }
    case v1::CloudFrame::kCompressed: {
      SKERRY_ASSIGN_OR_RETURN(Compressed part, ParseCompressed(*message.mutable_compressed()));
      return part;
    }
    case v1::CloudFrame::kTunnelOpen: {
      v1::TunnelOpen* open = message.mutable_tunnel_open();
      SKERRY_RETURN_IF_ERROR(CheckType(open->type()));
      SKERRY_RETURN_IF_ERROR(CheckBytes("target", open->target().size(), kTunnelTargetBytesMax));
      SKERRY_RETURN_IF_ERROR(CheckCredit(open->credit()));
      return TunnelOpen{open->tunnel_id(), std::move(*open->mutable_type()),
                        std::move(*open->mutable_target()), open->credit()};
    }
    case v1::CloudFrame::kTunnelData: {
      SKERRY_ASSIGN_OR_RETURN(TunnelData data, ParseTunnelData(*message.mutable_tunnel_data()));
      return data;
    }
    case v1::CloudFrame::kTunnelCredit: {
      SKERRY_ASSIGN_OR_RETURN(TunnelCredit credit, ParseTunnelCredit(message.tunnel_credit()));
      return credit;
    }
    case v1::CloudFrame::kTunnelClose:
      return ParseTunnelClose(message.tunnel_close());
    default:
      return Violation("link-7.2", "a frame of a kind that is not known");
  }
}

}  // namespace skerry::link
