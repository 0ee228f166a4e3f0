#include "services/cloudhub-svc/service/command_wire.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/wire.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::cloudhub {
namespace {

using link::CommandStage;

constexpr absl::Duration kDefaultDeadline = absl::Seconds(30);
constexpr absl::Duration kDefaultWait = absl::Minutes(1);
constexpr absl::Duration kDefaultQueued = absl::Hours(1);

// Above 0 and at most `max`.
absl::StatusOr<absl::Duration> DurationOf(absl::string_view field, bool given,
                                          const google::protobuf::Duration& message,
                                          absl::Duration otherwise, absl::Duration max) {
  if (!given) return otherwise;
  const absl::Duration duration = link::FromProtoDuration(message);
  // No finer than what the store keeps: none becomes 0 over a restart.
  if (duration > absl::ZeroDuration() && duration <= max)
    return absl::Ceil(duration, absl::Milliseconds(1));
  return InvalidField(field, absl::FormatDuration(duration),
                      absl::StrCat("give more than 0 and at most ", absl::FormatDuration(max)));
}

absl::StatusOr<Delivery> DeliveryOf(v1::Command::Delivery delivery) {
  switch (delivery) {
    case v1::Command::DELIVERY_UNSPECIFIED:
    case v1::Command::DELIVERY_NOW:
      return Delivery::kNow;
    case v1::Command::DELIVERY_WAIT:
      return Delivery::kWait;
    case v1::Command::DELIVERY_QUEUE:
      return Delivery::kQueue;
    default:
      return InvalidField("delivery", absl::StrCat(static_cast<int>(delivery)),
                          "give DELIVERY_NOW, DELIVERY_WAIT or DELIVERY_QUEUE");
  }
}

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

v1::Command::Stage StageOf(CommandStage stage) {
  switch (stage) {
    case CommandStage::kAccepted:
      return v1::Command::STAGE_ACCEPTED;
    case CommandStage::kSent:
      return v1::Command::STAGE_SENT;
    case CommandStage::kDelivered:
      return v1::Command::STAGE_DELIVERED;
    case CommandStage::kStarted:
      return v1::Command::STAGE_STARTED;
    case CommandStage::kDone:
      return v1::Command::STAGE_DONE;
    case CommandStage::kExpired:
      return v1::Command::STAGE_EXPIRED;
    case CommandStage::kCancelled:
      return v1::Command::STAGE_CANCELLED;
  }
  return v1::Command::STAGE_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<CommandInfo> FromWire(const v1::SendCommandRequest& request, absl::Time now) {
  CommandInfo info;
  StoredCommand& command = info.command;
  SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeName::Parse(request.node()));
  if (request.key().empty() || request.key().size() > link::kCommandKeyBytesMax) {
    return InvalidField("key", absl::StrCat(request.key().size(), " bytes"),
                        absl::StrCat("give 1 to ", link::kCommandKeyBytesMax));
  }
  if (absl::Status status = link::CheckType(request.type()); !status.ok())
    return InvalidField("type", request.type(), "give a name as of resource types: devicemethod");
  if (request.payload().size() > link::kCommandBytesMax) {
    return InvalidField("payload", absl::StrCat(request.payload().size(), " bytes"),
                        absl::StrCat("give at most ", link::kCommandBytesMax));
  }
  SKERRY_ASSIGN_OR_RETURN(info.delivery, DeliveryOf(request.delivery()));
  SKERRY_ASSIGN_OR_RETURN(command.deadline,
                          DurationOf("deadline", request.has_deadline(), request.deadline(),
                                     kDefaultDeadline, link::kCommandDeadlineMax));
  absl::Duration expire_in = command.deadline;
  if (info.delivery != Delivery::kNow) {
    SKERRY_ASSIGN_OR_RETURN(
        expire_in, DurationOf("expire_in", request.has_expire_in(), request.expire_in(),
                              info.delivery == Delivery::kWait ? kDefaultWait : kDefaultQueued,
                              link::kCommandExpiryMax));
  }
  command.node = node.value();
  command.key = request.key();
  command.type = request.type();
  command.payload = request.payload();
  command.reexecutable = request.reexecutable();
  command.create_time = now;
  command.expire_time = now + expire_in;
  return info;
}

void ToWire(const CommandInfo& info, v1::Command& out) {
  const StoredCommand& command = info.command;
  out.set_name(absl::StrCat("nodes/", command.node, "/commands/", command.key));
  out.set_type(command.type);
  out.set_delivery(info.delivery == Delivery::kQueue  ? v1::Command::DELIVERY_QUEUE
                   : info.delivery == Delivery::kWait ? v1::Command::DELIVERY_WAIT
                                                      : v1::Command::DELIVERY_NOW);
  out.set_reexecutable(command.reexecutable);
  link::ToProtoDuration(command.deadline, *out.mutable_deadline());
  SetTime(command.create_time, out.mutable_create_time());
  SetTime(command.expire_time, out.mutable_expire_time());
  out.set_stage(StageOf(command.progress.stage));
  *out.mutable_status() = rpc::ToProto(command.progress.status);
  out.set_response(command.progress.response);
}

absl::StatusOr<CommandName> ParseCommandName(absl::string_view name) {
  absl::string_view rest = name;
  const size_t slash = absl::ConsumePrefix(&rest, "nodes/") ? rest.find('/') : rest.npos;
  if (slash != rest.npos) {
    const absl::string_view node = rest.substr(0, slash);
    rest.remove_prefix(slash);
    if (absl::ConsumePrefix(&rest, "/commands/") && !node.empty() && !rest.empty())
      return CommandName{std::string(node), std::string(rest)};
  }
  return InvalidField("name", name, "give nodes/{node}/commands/{key}");
}

absl::StatusOr<std::string> ParseCommandParent(absl::string_view parent) {
  absl::string_view node = parent;
  if (absl::ConsumePrefix(&node, "nodes/") && !node.empty() && !absl::StrContains(node, '/'))
    return std::string(node);
  return InvalidField("parent", parent, "give nodes/{node}");
}

}  // namespace skerry::cloudhub
