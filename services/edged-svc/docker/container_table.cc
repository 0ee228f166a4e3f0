#include "services/edged-svc/docker/container_table.h"

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/image_name.h"
#include "services/edged-svc/core/pod_order.h"
#include "services/edged-svc/core/runtime_labels.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

using State = ContainerView::State;

constexpr absl::Duration kListTimeout = absl::Seconds(30);

EngineRequest Get(std::string target) {
  return {.target = std::move(target), .timeout = kListTimeout};
}

}  // namespace

absl::StatusOr<std::vector<DockerListed>> ContainerTable::List(absl::string_view sandbox_id) {
  SKERRY_ASSIGN_OR_RETURN(const std::string answer,
                          engine_.Call(Get(absl::StrCat("/containers/json?all=1&filters=",
                                                        EscapeForTarget(OwnerFilter(owner_))))));
  SKERRY_ASSIGN_OR_RETURN(std::vector<DockerListed> listed, ParseDockerList(answer));
  if (!sandbox_id.empty()) {
    std::erase_if(listed, [&](const DockerListed& item) {
      return item.Label(kLabelSandboxId) != sandbox_id;
    });
  }
  return listed;
}

absl::StatusOr<std::vector<PodView>> ContainerTable::Pods() {
  absl::MutexLock one_at_a_time(&list_mutex_);
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DockerListed> listed, List());
  std::map<std::string, PodView> pods;  // By uid.
  std::set<std::string> seen;
  for (const DockerListed& item : listed) {
    PodView& pod = pods[item.Label(kLabelPodUid)];
    pod.uid = item.Label(kLabelPodUid);
    pod.name_space = item.Label(kLabelPodNamespace);
    pod.name = item.Label(kLabelPodName);
    if (item.IsSandbox()) {
      SandboxView sandbox{item.id, 0, item.state == State::kRunning, item.created, {}};
      if (!absl::SimpleAtoi(item.Label(kLabelAttempt), &sandbox.attempt)) sandbox.attempt = 0;
      if (sandbox.ready) sandbox.addresses = item.addresses;
      pod.sandboxes.push_back(std::move(sandbox));
      continue;
    }
    absl::StatusOr<ContainerView> container = Details(item);
    if (absl::IsNotFound(container.status())) continue;  // Removed since the list was made.
    SKERRY_RETURN_IF_ERROR(container.status());
    seen.insert(item.id);
    pod.containers.push_back(*std::move(container));
  }
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(details_, [&](const auto& entry) { return !seen.contains(entry.first); });
    std::erase_if(ended_, [&](const auto& entry) { return !seen.contains(entry.first); });
  }
  logs_.Retain(seen);
  std::vector<PodView> out;
  for (auto& [uid, pod] : pods) {
    if (pod.sandboxes.empty() && pod.containers.empty()) continue;
    SortNewestFirst(pod);
    out.push_back(std::move(pod));
  }
  return out;
}

absl::StatusOr<ContainerView> ContainerTable::Details(const DockerListed& listed) {
  std::optional<DockerContainer> known = Known(listed);
  if (!known.has_value()) {
    SKERRY_ASSIGN_OR_RETURN(const std::string answer,
                            engine_.Call(Get(absl::StrCat("/containers/", listed.id, "/json"))));
    SKERRY_ASSIGN_OR_RETURN(known, ParseDockerContainer(answer));
    known->view.image_id = ImageRef(listed.image_id, known->view.image);
    absl::MutexLock lock(&mutex_);
    // What was created may still fail to start, which changes no state.
    if (known->view.state != State::kCreated) details_[listed.id] = *known;
  }
  ContainerView& view = known->view;
  const LogCopier::Log log{view.id, view.log_path, known->tty};
  if (view.state == State::kRunning) logs_.Follow(log);
  const bool ran = view.state == State::kExited && view.started != view.created;
  if (ran && !logs_.Finish(log) && LogMayCome(view.id)) {
    view.state = State::kRunning;
    view.finished = absl::UnixEpoch();
    view.exit_code = 0;
    view.reason.clear();
    view.message.clear();
  }
  return view;
}

std::optional<DockerContainer> ContainerTable::Known(const DockerListed& listed) {
  absl::MutexLock lock(&mutex_);
  const auto it = details_.find(listed.id);
  if (it == details_.end() || it->second.view.state != listed.state) return std::nullopt;
  return it->second;
}

bool ContainerTable::LogMayCome(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const absl::Duration now = clock_.Monotonic();
  return now - ended_.try_emplace(id, now).first->second < log_wait_;
}

std::string ContainerTable::ImageRef(const std::string& image_id, const std::string& image) {
  const absl::StatusOr<std::string> answer =
      engine_.Call(Get(absl::StrCat("/images/", EscapeForTarget(image_id), "/json")));
  if (!answer.ok()) return image_id;
  const absl::StatusOr<DockerImage> parsed = ParseDockerImage(*answer);
  if (!parsed.ok() || parsed->digests.empty()) return image_id;
  const std::string full = FullImageName(image);
  const size_t digest_begin = full.find('@');
  const std::string repository =
      full.substr(0, digest_begin == std::string::npos ? full.rfind(':') : digest_begin);
  for (const std::string& digest : parsed->digests) {
    if (absl::StartsWith(FullImageName(digest), repository + "@")) return FullImageName(digest);
  }
  return FullImageName(parsed->digests.front());
}

}  // namespace skerry::edged
