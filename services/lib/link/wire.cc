#include "services/lib/link/wire.h"

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

absl::Duration FromProtoDuration(const google::protobuf::Duration& d) {
  return absl::Seconds(d.seconds()) + absl::Nanoseconds(d.nanos());
}

void ToProtoDuration(absl::Duration d, google::protobuf::Duration& out) {
  const int64_t seconds = absl::ToInt64Seconds(d);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(d - absl::Seconds(seconds))));
}

absl::Time FromProtoTime(const google::protobuf::Timestamp& t) {
  return absl::FromUnixSeconds(t.seconds()) + absl::Nanoseconds(t.nanos());
}

void ToProtoTime(absl::Time t, google::protobuf::Timestamp& out) {
  const int64_t seconds = absl::ToUnixSeconds(t);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(t - absl::FromUnixSeconds(seconds))));
}

template <typename Message>
void RejectionsToWire(const std::vector<Rejection>& rejections, Message& message) {
  for (const Rejection& rejection : rejections) {
    v1::Rejection* out = message.add_rejections();
    out->set_sequence(rejection.sequence);
    *out->mutable_status() = rpc::ToProto(rejection.status);
  }
}

absl::StatusOr<EdgeFrame> ParseHello(v1::Hello& message) {
  SKERRY_RETURN_IF_ERROR(CheckBytes("boot_id", message.boot_id().size(), kTextBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckBytes("journal_id", message.journal_id().size(), kTextBytesMax));
  SKERRY_RETURN_IF_ERROR(
      CheckBytes("software_version", message.software_version().size(), kTextBytesMax));
  return Hello{message.protocol_version(), std::move(*message.mutable_boot_id()),
               std::move(*message.mutable_journal_id()),
               std::move(*message.mutable_software_version())};
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

struct EdgeFrameWriter {
  v1::EdgeFrame out;
  void operator()(Hello& f) {
    v1::Hello* m = out.mutable_hello();
    m->set_protocol_version(f.protocol_version);
    m->set_boot_id(std::move(f.boot_id));
    m->set_journal_id(std::move(f.journal_id));
    m->set_software_version(std::move(f.software_version));
  }
  void operator()(Subscribe& f) {
    v1::Subscribe* m = out.mutable_subscribe();
    m->set_type(std::move(f.type));
    m->set_subscription_id(f.subscription_id);
    m->set_more(f.more);
    for (Holding& holding : f.holdings) {
      v1::Holding* h = m->add_holdings();
      h->set_key(std::move(holding.key));
      h->set_version(std::move(holding.version));
    }
  }
  void operator()(Unsubscribe& f) {
    out.mutable_unsubscribe()->set_type(std::move(f.type));
    out.mutable_unsubscribe()->set_subscription_id(f.subscription_id);
  }
  void operator()(ResourceAck& f) {
    v1::ResourceAck* m = out.mutable_resource_ack();
    m->set_type(std::move(f.type));
    m->set_subscription_id(f.subscription_id);
    m->set_sequence(f.sequence);
    RejectionsToWire(f.rejections, *m);
  }
  void operator()(Report& f) { *out.mutable_report() = ToWire(std::move(f)); }
  void operator()(Heartbeat&) { out.mutable_heartbeat(); }
};

struct CloudFrameWriter {
  v1::CloudFrame out;
  void operator()(Welcome& f) {
    v1::Welcome* m = out.mutable_welcome();
    m->set_epoch(f.epoch);
    ToProtoDuration(f.heartbeat_interval, *m->mutable_heartbeat_interval());
    m->set_hub(std::move(f.hub));
    ToProtoTime(f.cloud_time, *m->mutable_cloud_time());
  }
  void operator()(ResourceChange& f) { *out.mutable_resource() = ToWire(std::move(f)); }
  void operator()(ReportAck& f) {
    v1::ReportAck* m = out.mutable_report_ack();
    m->set_type(std::move(f.type));
    m->set_sequence(f.sequence);
    RejectionsToWire(f.rejections, *m);
  }
  void operator()(Heartbeat&) { out.mutable_heartbeat(); }
  void operator()(Resync& f) { out.mutable_resync()->set_type(std::move(f.type)); }
  void operator()(GoAway& f) {
    out.mutable_go_away()->set_reason(std::move(f.reason));
    ToProtoDuration(f.retry_after, *out.mutable_go_away()->mutable_retry_after());
  }
};

}  // namespace

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

v1::Report ToWire(Report report) {
  v1::Report message;
  message.set_sequence(report.sequence);
  message.set_type(std::move(report.type));
  message.set_key(std::move(report.key));
  message.set_generation(report.generation);
  message.mutable_time()->set_wall_micros(report.time.wall_micros);
  message.mutable_time()->set_logical(report.time.logical);
  message.set_value(std::move(report.value));
  return message;
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

v1::ResourceChange ToWire(ResourceChange frame) {
  v1::ResourceChange message;
  message.set_type(std::move(frame.type));
  message.set_subscription_id(frame.subscription_id);
  message.set_sequence(frame.sequence);
  switch (frame.change.kind) {
    case Change::Kind::kUpsert:
      message.mutable_upsert()->set_key(std::move(frame.change.key));
      message.mutable_upsert()->set_version(std::move(frame.change.version));
      message.mutable_upsert()->set_object(std::move(frame.change.object));
      break;
    case Change::Kind::kDelete:
      message.mutable_delete_()->set_key(std::move(frame.change.key));
      break;
    case Change::Kind::kSynced:
      message.mutable_synced();
      break;
  }
  return message;
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
    case v1::EdgeFrame::kHeartbeat:
      return Heartbeat{};
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
                     message.welcome().hub(), FromProtoTime(message.welcome().cloud_time())};
    case v1::CloudFrame::kResource: {
      SKERRY_ASSIGN_OR_RETURN(ResourceChange change,
                              FromWire(std::move(*message.mutable_resource())));
      return change;
    }
    case v1::CloudFrame::kReportAck:
      return ParseReportAck(*message.mutable_report_ack());
    case v1::CloudFrame::kHeartbeat:
      return Heartbeat{};
    case v1::CloudFrame::kResync:
      SKERRY_RETURN_IF_ERROR(CheckType(message.resync().type()));
      return Resync{message.resync().type()};
    case v1::CloudFrame::kGoAway:
      SKERRY_RETURN_IF_ERROR(
          CheckBytes("reason", message.go_away().reason().size(), kTextBytesMax));
      return GoAway{message.go_away().reason(), FromProtoDuration(message.go_away().retry_after())};
    default:
      return Violation("link-7.2", "a frame of a kind that is not known");
  }
}

v1::EdgeFrame ToWire(EdgeFrame frame) {
  EdgeFrameWriter writer;
  std::visit(writer, frame);
  return std::move(writer.out);
}

v1::CloudFrame ToWire(CloudFrame frame) {
  CloudFrameWriter writer;
  std::visit(writer, frame);
  return std::move(writer.out);
}

}  // namespace skerry::link
