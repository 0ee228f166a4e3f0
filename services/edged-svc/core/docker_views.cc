#include "services/edged-svc/core/docker_views.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/core/runtime_labels.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

using nlohmann::json;
using State = ContainerView::State;

constexpr size_t kPullLineMax = 64 << 10;

absl::StatusOr<json> Parse(absl::string_view answer, json::value_t type) {
  json value = json::parse(answer, nullptr, false);
  // Docker writes an empty list as null.
  if (type == json::value_t::array && value.is_null()) return json::array();
  if (value.type() != type) {
    return Error(absl::StatusCode::kDataLoss,
                 absl::StrCat("Docker's answer is no ",
                              type == json::value_t::array ? "list" : "object",
                              " in JSON: ", answer.substr(0, 100)))
        .Reason("DOCKER_ANSWER_INVALID");
  }
  return value;
}

const json& Field(const json& object, const char* name) {
  static const json* const kNone = new json();
  if (!object.is_object()) return *kNone;
  const auto it = object.find(name);
  return it == object.end() ? *kNone : *it;
}

std::string Str(const json& object, const char* name) {
  const json& value = Field(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

int64_t Int(const json& object, const char* name) {
  const json& value = Field(object, name);
  if (!value.is_number_integer()) return 0;
  if (value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max())
    return 0;
  return value.get<int64_t>();
}

bool Bool(const json& object, const char* name) {
  const json& value = Field(object, name);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> Strings(const json& object, const char* name) {
  std::vector<std::string> out;
  const json& value = Field(object, name);
  if (!value.is_array()) return out;
  for (const json& item : value) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

std::map<std::string, std::string> StringMap(const json& object, const char* name) {
  std::map<std::string, std::string> out;
  const json& value = Field(object, name);
  if (!value.is_object()) return out;
  for (const auto& [key, item] : value.items()) {
    if (item.is_string()) out[key] = item.get<std::string>();
  }
  return out;
}

// Docker writes year 1 for "not yet".
absl::Time Time(const json& object, const char* name) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, Str(object, name), &time, nullptr) ||
      time < absl::UnixEpoch())
    return absl::UnixEpoch();
  return time;
}

State StateOf(absl::string_view text) {
  if (text == "created") return State::kCreated;
  if (text == "running" || text == "paused" || text == "restarting") return State::kRunning;
  if (text == "exited" || text == "dead" || text == "removing") return State::kExited;
  return State::kUnknown;
}

std::vector<std::string> Addresses(const json& item) {
  std::vector<std::string> out;
  const json& networks = Field(Field(item, "NetworkSettings"), "Networks");
  if (!networks.is_object()) return out;
  for (const auto& [name, network] : networks.items()) {
    for (const char* field : {"IPAddress", "GlobalIPv6Address"}) {
      if (std::string address = Str(network, field); !address.empty())
        out.push_back(std::move(address));
    }
  }
  return out;
}

DockerImage ToImage(const json& value) {
  DockerImage image;
  image.id = Str(value, "Id");
  image.user = Str(Field(value, "Config"), "User");
  image.names = Strings(value, "RepoTags");
  image.digests = Strings(value, "RepoDigests");
  std::erase(image.names, "<none>:<none>");
  std::erase(image.digests, "<none>@<none>");
  image.size_bytes = Int(value, "Size");
  return image;
}

}  // namespace

std::string DockerListed::Label(absl::string_view key) const {
  const auto it = labels.find(std::string(key));
  return it == labels.end() ? "" : it->second;
}

absl::StatusOr<std::vector<DockerListed>> ParseDockerList(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json list, Parse(answer, json::value_t::array));
  std::vector<DockerListed> out;
  for (const json& item : list) {
    DockerListed listed;
    listed.id = Str(item, "Id");
    if (listed.id.empty()) continue;
    listed.image_id = Str(item, "ImageID");
    listed.state = StateOf(Str(item, "State"));
    listed.created = absl::FromUnixSeconds(Int(item, "Created"));
    listed.labels = StringMap(item, "Labels");
    listed.addresses = Addresses(item);
    out.push_back(std::move(listed));
  }
  return out;
}

absl::StatusOr<DockerContainer> ParseDockerContainer(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json value, Parse(answer, json::value_t::object));
  const json& config = Field(value, "Config");
  const json& state = Field(value, "State");
  std::map<std::string, std::string> labels = StringMap(config, "Labels");
  DockerContainer out;
  out.tty = Bool(config, "Tty");
  out.pid = static_cast<uint32_t>(std::clamp<int64_t>(Int(state, "Pid"), 0, 1 << 30));
  ContainerView& c = out.view;
  c.id = Str(value, "Id");
  c.sandbox_id = labels[kLabelSandboxId];
  c.name = labels[kLabelContainer];
  c.spec_hash = labels[absl::StrCat(kDockerAnnotationPrefix, kAnnotationHash)];
  if (!absl::SimpleAtoi(labels[absl::StrCat(kDockerAnnotationPrefix, kAnnotationRestarts)],
                        &c.restart_count))
    c.restart_count = 0;
  c.image = labels[kLabelImage];
  c.image_id = Str(value, "Image");
  c.log_path = labels[kLabelLogPath];
  c.state = StateOf(Str(state, "Status"));
  c.created = Time(value, "Created");
  c.started = Time(state, "StartedAt");
  c.finished = Time(state, "FinishedAt");
  c.exit_code = static_cast<int32_t>(std::clamp<int64_t>(Int(state, "ExitCode"), -255, 255));
  const std::string error = Str(state, "Error");
  // A start that failed leaves it "created".
  if (c.state == State::kCreated && (c.exit_code != 0 || !error.empty())) {
    c.state = State::kExited;
    c.started = c.finished = c.created;
    if (c.exit_code == 0) c.exit_code = 128;
  }
  if (c.state != State::kExited) {
    c.exit_code = 0;
    c.finished = absl::UnixEpoch();
    return out;
  }
  c.finished = std::max(c.finished, c.started);
  c.message = error;
  c.reason = Bool(state, "OOMKilled") ? "OOMKilled"
             : !error.empty()         ? "ContainerCannotRun"
             : c.exit_code == 0       ? "Completed"
                                      : "Error";
  return out;
}

absl::StatusOr<DockerImage> ParseDockerImage(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json value, Parse(answer, json::value_t::object));
  return ToImage(value);
}

absl::StatusOr<std::vector<DockerImage>> ParseDockerImages(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json list, Parse(answer, json::value_t::array));
  std::vector<DockerImage> out;
  for (const json& item : list) out.push_back(ToImage(item));
  return out;
}

ImageView ToImageView(const DockerImage& image) {
  ImageView view;
  view.id = image.id;
  const std::string user = image.user.substr(0, image.user.find(':'));
  int64_t uid = 0;
  if (absl::SimpleAtoi(user, &uid)) {
    view.uid = uid;
  } else {
    view.username = user;
  }
  return view;
}

absl::StatusOr<DockerInfo> ParseDockerInfo(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json value, Parse(answer, json::value_t::object));
  DockerInfo info;
  info.version = Str(value, "ServerVersion");
  info.root_dir = Str(value, "DockerRootDir");
  info.facts.systemd_cgroups = Str(value, "CgroupDriver") == "systemd";
  return info;
}

absl::StatusOr<DockerExec> ParseDockerExec(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json value, Parse(answer, json::value_t::object));
  return DockerExec{Bool(value, "Running"), static_cast<int32_t>(Int(value, "ExitCode")),
                    Int(value, "Pid")};
}

absl::StatusOr<std::string> ParseDockerId(absl::string_view answer) {
  SKERRY_ASSIGN_OR_RETURN(const json value, Parse(answer, json::value_t::object));
  std::string id = Str(value, "Id");
  if (!id.empty()) return id;
  return Error(absl::StatusCode::kDataLoss, "Docker's answer names no Id")
      .Reason("DOCKER_ANSWER_INVALID");
}

void DockerPullReader::Put(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const absl::string_view part = bytes.substr(0, newline);
    absl::StrAppend(&line_, part.substr(0, kPullLineMax - line_.size()));
    if (newline == absl::string_view::npos) return;
    TakeLine(line_);
    line_.clear();
    bytes.remove_prefix(newline + 1);
  }
}

void DockerPullReader::TakeLine(absl::string_view line) {
  const json value = json::parse(line, nullptr, false);
  std::string message = Str(Field(value, "errorDetail"), "message");
  if (message.empty()) message = Str(value, "error");
  if (message.empty() || !status_.ok()) return;
  status_ = Error(absl::StatusCode::kUnknown, message).Reason("IMAGE_PULL_FAILED").ToStatus();
}

}  // namespace skerry::edged
