#include "tools/skerryctl/status_command.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/lib/rpc/channel.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(3);

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Ask(const std::string& target) {
  auto channel = rpc::MakeChannel({.target = target});
  if (!channel.ok()) return channel.status();
  auto stub = Service::NewStub(*channel);
  Response response;
  absl::Status status = rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    context->set_wait_for_ready(false);  // A socket that nobody serves is an answer.
    return stub->GetStatus(context, Request(), &response);
  });
  if (!status.ok()) return status;
  return response;
}

template <typename Message>
nlohmann::json JsonOfAnswer(const absl::StatusOr<Message>& status) {
  if (status.ok()) return JsonOf(*status);
  return {{"error",
           {{"code", absl::StatusCodeToString(status.status().code())},
            {"message", std::string(status.status().message())}}}};
}

std::string Unreachable(const absl::Status& status) {
  return absl::StrCat("not reachable (", absl::StatusCodeToString(status.code()), ": ",
                      status.message(), ")");
}

std::string LinkText(const edgehub::v1::EdgeHubStatus& hub, absl::Time now) {
  std::string since = hub.link().has_change_time()
                          ? absl::StrCat(" for ", Age(now - TimeOf(hub.link().change_time())))
                          : std::string();
  if (hub.link().connected())
    return absl::StrCat("up", since, ", ", hub.cloud_address(), ", epoch ", hub.epoch());
  std::string text = absl::StrCat("DOWN", since, ", ", hub.cloud_address());
  if (!hub.link().reason().empty()) absl::StrAppend(&text, ", ", hub.link().reason());
  if (hub.has_next_dial_time()) {
    absl::StrAppend(&text, ", next attempt in ", Age(TimeOf(hub.next_dial_time()) - now));
  }
  return text;
}

// Of all classes, since edgehub-svc started.
std::string TrafficText(const edgehub::v1::EdgeHubStatus& hub) {
  uint64_t up = 0;
  uint64_t down = 0;
  for (const edgehub::v1::TrafficStatus& traffic : hub.traffic()) {
    up += traffic.up_bytes();
    down += traffic.down_bytes();
  }
  std::string text = absl::StrCat(BytesText(static_cast<int64_t>(up)), " up, ",
                                  BytesText(static_cast<int64_t>(down)), " down");
  if (!hub.has_budget()) return text;
  absl::StrAppend(&text, ", limited to ",
                  BytesText(static_cast<int64_t>(hub.budget().bytes_per_second())), "/s each way, ",
                  BytesText(hub.budget().left_bytes()), " left",
                  hub.budget().awaited() ? ", WAITING for it" : "");
  return text;
}

void AddHub(const absl::StatusOr<edgehub::v1::EdgeHubStatus>& hub, absl::Time now, Table& table) {
  if (!hub.ok()) return table.Add({"edgehub-svc", Unreachable(hub.status())});
  table.Add({"edgehub-svc", "ok"});
  table.Add({"  node", hub->node()});
  table.Add({"  link", LinkText(*hub, now)});
  table.Add({"  traffic", TrafficText(*hub)});
  for (const edgehub::v1::TypeStatus& type : hub->types()) {
    std::string state = type.spoke().empty() ? "nobody stores it"
                        : type.synced()      ? "synced"
                                             : "NOT SYNCED";
    table.Add({absl::StrCat("  sync ", type.type()), state});
  }
  const edgehub::v1::JournalStatus& journal = hub->journal();
  std::string depth = absl::StrCat(journal.entries(), " unsent, ", BytesText(journal.size_bytes()),
                                   " of ", BytesText(journal.size_bytes_max()));
  if (journal.entries() > 0 && journal.has_oldest_time()) {
    absl::StrAppend(&depth, ", oldest ", Age(now - TimeOf(journal.oldest_time())));
  }
  table.Add({"  journal", depth});
  if (hub->has_certificate_expire_time()) {
    absl::Duration left = TimeOf(hub->certificate_expire_time()) - now;
    table.Add(
        {"  certificate", left > absl::ZeroDuration() ? "valid for " + Age(left) : "EXPIRED"});
  }
}

void AddMeta(const absl::StatusOr<meta::v1::MetaStatus>& meta, Table& table) {
  if (!meta.ok()) return table.Add({"edge-meta-svc", Unreachable(meta.status())});
  table.Add({"edge-meta-svc", meta->edgehub_attached() ? "ok" : "NOT ATTACHED to edgehub-svc"});
  for (const meta::v1::MetaStatus::TypeStatus& type : meta->types()) {
    table.Add(
        {absl::StrCat("  stored ", type.type()),
         absl::StrCat(type.objects(), type.synced_once() ? "" : ", never synced with the cloud")});
  }
  table.Add({"  unsent reports", absl::StrCat(meta->unsent_reports())});
}

void AddEdged(const absl::StatusOr<edged::v1::EdgedStatus>& edged, Table& table) {
  if (!edged.ok()) return table.Add({"edged-svc", Unreachable(edged.status())});
  table.Add({"edged-svc", edged->meta_synced() ? "ok" : "WAITING for edge-meta-svc"});
  table.Add(
      {"  runtime", absl::StrCat(edged->runtime(), edged->runtime_ready() ? "" : " NOT READY")});
  for (const edged::v1::EdgedStatus::Pod& pod : edged->pods()) {
    std::string text = absl::StrCat(pod.phase(), ", ", pod.restarts(), " restarts");
    if (!pod.message().empty()) absl::StrAppend(&text, ", ", pod.message());
    table.Add({absl::StrCat("  pod ", pod.key()), text});
  }
}

}  // namespace

BoxStatus AskBox(const BoxAddresses& addresses) {
  BoxStatus status;
  if (!addresses.edgehub.empty()) {
    status.edgehub =
        Ask<edgehub::v1::EdgeHubService, edgehub::v1::GetStatusRequest, edgehub::v1::EdgeHubStatus>(
            addresses.edgehub);
  }
  if (!addresses.meta.empty()) {
    status.meta = Ask<meta::v1::MetaService, meta::v1::GetStatusRequest, meta::v1::MetaStatus>(
        addresses.meta);
  }
  if (!addresses.edged.empty()) {
    status.edged =
        Ask<edged::v1::EdgedService, edged::v1::GetStatusRequest, edged::v1::EdgedStatus>(
            addresses.edged);
  }
  return status;
}

BoxStatus AskBox(const std::string& run_dir) {
  const std::string prefix = absl::StrCat("unix:", run_dir, "/");
  return AskBox({.edgehub = prefix + "edgehub.sock",
                 .meta = prefix + "edge-meta.sock",
                 .edged = prefix + "edged.sock"});
}

bool IsHealthy(const BoxStatus& status) {
  if (!status.edgehub.ok() || !status.meta.ok() || !status.edged.ok()) return false;
  for (const edgehub::v1::TypeStatus& type : status.edgehub->types()) {
    if (!type.synced()) return false;
  }
  return status.edgehub->link().connected() && status.meta->edgehub_attached() &&
         status.edged->runtime_ready() && status.edged->meta_synced();
}

std::string RenderBox(const BoxStatus& status, absl::Time now, Format format) {
  const nlohmann::json value = {{"healthy", IsHealthy(status)},
                                {"edgehub", JsonOfAnswer(status.edgehub)},
                                {"meta", JsonOfAnswer(status.meta)},
                                {"edged", JsonOfAnswer(status.edged)}};
  return Render(format, value, [&] {
    Table table({"WHAT", "STATE"});
    AddHub(status.edgehub, now, table);
    AddMeta(status.meta, table);
    AddEdged(status.edged, table);
    return table.Render();
  });
}

std::string RenderSessions(const std::vector<cloudhub::v1::NodeSessionInfo>& sessions,
                           absl::Time now, Format format) {
  nlohmann::json list = nlohmann::json::array();
  for (const cloudhub::v1::NodeSessionInfo& session : sessions) list.push_back(JsonOf(session));
  return Render(format, {{"sessions", list}}, [&]() -> std::string {
    if (sessions.empty()) return "No node is connected.\n";
    Table table(
        {"NODE", "CONNECTED", "LAST-HEARD", "EPOCH", "PENDING", "VERSION", "TYPES", "PEER"});
    for (const cloudhub::v1::NodeSessionInfo& session : sessions) {
      table.Add({session.node(), Age(now - TimeOf(session.connect_time())),
                 Age(now - TimeOf(session.last_receive_time())), absl::StrCat(session.epoch()),
                 BytesText(session.pending_bytes()), session.software_version(),
                 absl::StrJoin(session.subscribed_types(), ","), session.peer()});
    }
    return table.Render();
  });
}

}  // namespace skerry::skerryctl
