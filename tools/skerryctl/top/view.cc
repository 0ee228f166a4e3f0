#include "tools/skerryctl/top/view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/printers.h"
#include "services/lib/rpc/proto_time.h"
#include "tools/skerryctl/output.h"
#include "tools/skerryctl/printable.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

using nlohmann::json;

constexpr char kDash[] = "-";

json SecondsSince(bool known, const google::protobuf::Timestamp& time, absl::Time now) {
  const auto parsed = rpc::FromProto(time);
  if (!known || !parsed.ok()) return nullptr;
  return std::max<int64_t>(0, absl::ToInt64Seconds(now - *parsed));
}

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// Null where it went backwards: another process, or another cgroup.
json Millicores(absl::Duration before, absl::Duration now, absl::Duration time) {
  if (time <= absl::ZeroDuration() || now < before) return nullptr;
  return static_cast<int64_t>(1000 * absl::FDivDuration(now - before, time) + 0.5);
}

json PerSecond(uint64_t before, uint64_t now, absl::Duration time) {
  if (time <= absl::ZeroDuration() || now < before) return nullptr;
  return static_cast<int64_t>(static_cast<double>(now - before) / absl::ToDoubleSeconds(time));
}

std::pair<uint64_t, uint64_t> Traffic(const edgehub::v1::EdgeHubStatus& hub) {
  std::pair<uint64_t, uint64_t> sum;
  for (const edgehub::v1::TrafficStatus& traffic : hub.traffic()) {
    sum.first += traffic.up_bytes();
    sum.second += traffic.down_bytes();
  }
  return sum;
}

json LinkView(const BoxSnapshot& before, const BoxSnapshot& now) {
  const edgehub::v1::EdgeHubStatus& hub = *now.hub;
  json link = {{"connected", hub.link().connected()},
               {"reason", hub.link().reason()},
               {"cloudAddress", hub.cloud_address()},
               {"forSeconds",
                SecondsSince(hub.link().has_change_time(), hub.link().change_time(), now.time)},
               {"rttMilliseconds", nullptr},
               {"upBytesPerSecond", nullptr},
               {"downBytesPerSecond", nullptr}};
  if (now.rtt.has_value() && hub.link().connected())
    link["rttMilliseconds"] = absl::ToDoubleMicroseconds(*now.rtt) / 1000;
  if (before.hub.ok()) {
    const absl::Duration time = now.monotonic - before.monotonic;
    link["upBytesPerSecond"] = PerSecond(Traffic(*before.hub).first, Traffic(hub).first, time);
    link["downBytesPerSecond"] = PerSecond(Traffic(*before.hub).second, Traffic(hub).second, time);
  }
  return link;
}

json JournalView(const edgehub::v1::EdgeHubStatus& hub, absl::Time now) {
  const edgehub::v1::JournalStatus& reports = hub.journal();
  json out = json::array();
  out.push_back({{"class", "reports"},
                 {"entries", reports.entries()},
                 {"bytes", reports.size_bytes()},
                 {"bytesMax", reports.size_bytes_max()},
                 {"oldestSeconds", SecondsSince(reports.entries() > 0 && reports.has_oldest_time(),
                                                reports.oldest_time(), now)}});
  for (const edgehub::v1::StreamStatus& stream : hub.streams()) {
    out.push_back({{"class", stream.stream()},
                   {"entries", stream.entries()},
                   {"bytes", stream.size_bytes()},
                   {"bytesMax", nullptr},
                   {"oldestSeconds", SecondsSince(stream.entries() > 0 && stream.has_oldest_time(),
                                                  stream.oldest_time(), now)}});
  }
  return out;
}

// A type that is not in step lags as edge-meta-svc counts it; what that does not store, or an older
// one does not count, is not known.
json SyncView(const BoxSnapshot& now) {
  json out = json::array();
  for (const edgehub::v1::TypeStatus& type : now.hub->types()) {
    json lag = type.synced() ? json(0) : json(nullptr);
    if (!type.synced() && now.meta.ok()) {
      for (const auto& stored : now.meta->types()) {
        if (stored.type() == type.type() && stored.has_behind())
          lag = std::max<int64_t>(0, stored.behind().seconds());
      }
    }
    out.push_back({{"type", type.type()},
                   {"storedBy", type.spoke()},
                   {"synced", type.synced()},
                   {"lagSeconds", std::move(lag)}});
  }
  return out;
}

json PodsView(const BoxSnapshot& before, const BoxSnapshot& now) {
  std::map<std::string, const edged::v1::RunningPod*> earlier;
  if (before.pods.ok()) {
    for (const edged::v1::RunningPod& pod : *before.pods) earlier[pod.uid()] = &pod;
  }
  json out = json::array();
  for (const edged::v1::RunningPod& pod : *now.pods) {
    json status = json::parse(pod.status_json(), nullptr, false);
    if (!status.is_object()) status = json::object();
    int64_t restarts = 0;
    for (const json& container : kubeapi::ArrayAt(status, {"containerStatuses"}))
      restarts += kubeapi::IntAt(container, {"restartCount"});
    json entry = {{"pod", pod.key()},
                  {"status", kubeapi::PodStatusText({{"status", status}})},
                  {"restarts", restarts},
                  {"cpuMillicores", nullptr},
                  {"memoryBytes", nullptr}};
    if (pod.has_usage()) {
      entry["memoryBytes"] = pod.usage().memory_bytes();
      const auto known = earlier.find(pod.uid());
      if (known != earlier.end() && known->second->has_usage()) {
        const auto from = rpc::FromProto(known->second->usage().read_time());
        const auto to = rpc::FromProto(pod.usage().read_time());
        if (from.ok() && to.ok()) {
          entry["cpuMillicores"] = Millicores(DurationOf(known->second->usage().cpu_time()),
                                              DurationOf(pod.usage().cpu_time()), *to - *from);
        }
      }
    }
    out.push_back(std::move(entry));
  }
  return out;
}

json ServicesView(const BoxSnapshot& before, const BoxSnapshot& now) {
  json out = json::array();
  for (const ProcessUsage& process : now.processes) {
    json entry = {{"service", process.name},
                  {"pid", process.pid},
                  {"cpuMillicores", nullptr},
                  {"rssBytes", process.resident_bytes},
                  {"pssBytes", nullptr}};
    if (process.proportional_bytes.has_value()) entry["pssBytes"] = *process.proportional_bytes;
    for (const ProcessUsage& earlier : before.processes) {
      if (earlier.pid != process.pid || earlier.start_ticks != process.start_ticks) continue;
      entry["cpuMillicores"] =
          Millicores(earlier.cpu_time, process.cpu_time, now.monotonic - before.monotonic);
    }
    out.push_back(std::move(entry));
  }
  return out;
}

std::string CountText(const json& number, absl::string_view unit = "") {
  return number.is_number() ? absl::StrCat(number.get<int64_t>(), unit) : kDash;
}
std::string BytesCell(const json& bytes) {
  return bytes.is_number() ? BytesText(bytes.get<int64_t>()) : kDash;
}
std::string AgeCell(const json& seconds) {
  return seconds.is_number() ? Age(absl::Seconds(seconds.get<int64_t>())) : kDash;
}

std::string LinkText(const json& view) {
  const json& link = view["link"];
  if (link.is_null()) return "link not known\n";
  std::string text = absl::StrCat(Printable(view["node"].get<std::string>()), "   link ",
                                  link["connected"].get<bool>() ? "up" : "DOWN", " for ",
                                  AgeCell(link["forSeconds"]), ", ",
                                  Printable(link["cloudAddress"].get<std::string>()));
  if (const std::string reason = link["reason"]; !reason.empty())
    absl::StrAppend(&text, ", ", Printable(reason));
  absl::StrAppend(&text, ", rtt ",
                  link["rttMilliseconds"].is_number()
                      ? absl::StrFormat("%.1f ms", link["rttMilliseconds"].get<double>())
                      : kDash,
                  ", up ", BytesCell(link["upBytesPerSecond"]), "/s, down ",
                  BytesCell(link["downBytesPerSecond"]), "/s\n");
  std::vector<std::string> lagging;
  size_t in_step = 0;
  for (const json& type : view["sync"]) {
    if (type["synced"].get<bool>()) {
      ++in_step;
    } else if (link["connected"].get<bool>() || type["lagSeconds"] != 0) {
      // Without a link, one that was in step is not known to be behind.
      lagging.push_back(absl::StrCat(Printable(type["type"].get<std::string>()), " (",
                                     AgeCell(type["lagSeconds"]), ")"));
    }
  }
  absl::StrAppend(&text, "sync   ", in_step, " of ", view["sync"].size(),
                  " types in step with the cloud",
                  lagging.empty() ? "" : "; behind: ", absl::StrJoin(lagging, ", "), "\n");
  return text;
}

std::string DevicesText(const json& devices) {
  if (devices.is_null()) return "devices   not known\n";
  std::vector<std::string> parts;
  for (const auto& [state, count] : devices.items())
    parts.push_back(absl::StrCat(count.get<int64_t>(), " ", Printable(state)));
  return absl::StrCat("devices   ", parts.empty() ? "none" : absl::StrJoin(parts, ", "), "\n");
}

}  // namespace

json BoxView(const BoxSnapshot& before, const BoxSnapshot& now) {
  json view = {{"time", absl::FormatTime(absl::RFC3339_sec, now.time, absl::UTCTimeZone())},
               {"node", ""},
               {"link", nullptr},
               {"journal", nullptr},
               {"sync", json::array()},
               {"pods", nullptr},
               {"devices", nullptr},
               {"services", ServicesView(before, now)},
               {"errors", json::object()}};
  const auto failed = [&view](const char* service, const absl::Status& status) {
    view["errors"][service] =
        absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
  };
  if (now.hub.ok()) {
    view["node"] = now.hub->node();
    view["link"] = LinkView(before, now);
    view["journal"] = JournalView(*now.hub, now.time);
    view["sync"] = SyncView(now);
  } else {
    failed("edgehub-svc", now.hub.status());
  }
  if (!now.meta.ok()) failed("edge-meta-svc", now.meta.status());
  if (now.pods.ok()) {
    view["pods"] = PodsView(before, now);
  } else {
    failed("edged-svc", now.pods.status());
  }
  if (now.devices.ok()) {
    view["devices"] = *now.devices;
  } else {
    failed("twin-svc", now.devices.status());
  }
  return view;
}

std::string BoxText(const json& view) {
  std::string text = LinkText(view);
  absl::StrAppend(&text, DevicesText(view["devices"]));
  for (const auto& [service, why] : view["errors"].items())
    absl::StrAppend(&text, service, " not reachable: ", Printable(why.get<std::string>()), "\n");
  if (!view["journal"].is_null()) {
    Table table({"JOURNAL", "UNSENT", "BYTES", "ROOM", "OLDEST"});
    for (const json& entry : view["journal"]) {
      table.Add({entry["class"], CountText(entry["entries"]), BytesCell(entry["bytes"]),
                 BytesCell(entry["bytesMax"]), AgeCell(entry["oldestSeconds"])});
    }
    absl::StrAppend(&text, "\n", table.Render());
  }
  if (!view["pods"].is_null()) {
    Table table({"POD", "STATUS", "RESTARTS", "CPU", "MEMORY"});
    for (const json& pod : view["pods"]) {
      table.Add({pod["pod"], pod["status"], CountText(pod["restarts"]),
                 CountText(pod["cpuMillicores"], "m"), BytesCell(pod["memoryBytes"])});
    }
    absl::StrAppend(&text, "\n", table.Render());
  }
  Table table({"SERVICE", "PID", "CPU", "RSS", "PSS"});
  for (const json& service : view["services"]) {
    table.Add({service["service"], CountText(service["pid"]),
               CountText(service["cpuMillicores"], "m"), BytesCell(service["rssBytes"]),
               BytesCell(service["pssBytes"])});
  }
  return absl::StrCat(text, "\n", table.Render());
}

json CloudView(const CloudSnapshot& before, const CloudSnapshot& now) {
  std::map<std::string, const cloudhub::v1::NodeSessionInfo*> earlier;
  for (const auto& session : before.sessions) earlier[session.node()] = &session;
  std::vector<json> list;
  int64_t pending = 0;
  for (const cloudhub::v1::NodeSessionInfo& session : now.sessions) {
    pending += session.pending_bytes();
    json entry = {{"node", session.node()},
                  {"connectedSeconds",
                   SecondsSince(session.has_connect_time(), session.connect_time(), now.time)},
                  {"lastHeardSeconds", SecondsSince(session.has_last_receive_time(),
                                                    session.last_receive_time(), now.time)},
                  {"pendingBytes", session.pending_bytes()},
                  {"pendingBytesPerSecond", nullptr},
                  {"epoch", session.epoch()},
                  {"version", session.software_version()},
                  {"peer", session.peer()}};
    const auto known = earlier.find(session.node());
    const absl::Duration time = now.monotonic - before.monotonic;
    if (known != earlier.end() && time > absl::ZeroDuration()) {
      entry["pendingBytesPerSecond"] = static_cast<int64_t>(
          static_cast<double>(session.pending_bytes() - known->second->pending_bytes()) /
          absl::ToDoubleSeconds(time));
    }
    list.push_back(std::move(entry));
  }
  std::stable_sort(list.begin(), list.end(), [](const json& a, const json& b) {
    if (a["pendingBytes"] != b["pendingBytes"]) return a["pendingBytes"] > b["pendingBytes"];
    return a["lastHeardSeconds"] > b["lastHeardSeconds"];
  });
  return {{"time", absl::FormatTime(absl::RFC3339_sec, now.time, absl::UTCTimeZone())},
          {"sessionCount", now.sessions.size()},
          {"pendingBytes", pending},
          {"sessions", std::move(list)}};
}

std::string CloudText(const json& view) {
  Table table({"NODE", "CONNECTED", "LAST-HEARD", "PENDING", "CHANGE", "EPOCH", "VERSION", "PEER"});
  for (const json& session : view["sessions"]) {
    const json& change = session["pendingBytesPerSecond"];
    table.Add({session["node"], AgeCell(session["connectedSeconds"]),
               AgeCell(session["lastHeardSeconds"]), BytesCell(session["pendingBytes"]),
               change.is_number() ? absl::StrFormat("%+d B/s", change.get<int64_t>()) : kDash,
               CountText(session["epoch"]), session["version"], session["peer"]});
  }
  return absl::StrCat(view["sessionCount"].get<int64_t>(), " sessions, ",
                      BytesCell(view["pendingBytes"]), " wait to go down\n\n", table.Render());
}

std::string Fitted(const std::string& text, size_t columns, size_t lines) {
  std::string out;
  size_t count = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (count++ == lines) break;
    if (count > 1) out.push_back('\n');
    size_t characters = 0, end = 0;
    while (end < line.size()) {
      const bool begins = (static_cast<unsigned char>(line[end]) & 0xc0) != 0x80;
      if (begins && characters++ == columns) break;
      ++end;
    }
    absl::StrAppend(&out, line.substr(0, end));
  }
  return out;
}

}  // namespace skerry::skerryctl
