// What Docker Engine's answers say, in edged's words.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_VIEWS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_VIEWS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/docker_bodies.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// A field that is absent or has another type is as if it were empty; an answer that is no JSON, or
// another kind of it, is DATA_LOSS (DOCKER_ANSWER_INVALID).

// An item of /containers/json.
struct DockerListed {
  std::string id, image_id;
  ContainerView::State state = ContainerView::State::kUnknown;
  absl::Time created = absl::UnixEpoch();  // In whole seconds.
  std::map<std::string, std::string> labels;
  std::vector<std::string> addresses;

  std::string Label(absl::string_view key) const;
  bool IsSandbox() const { return Label(kLabelDockerType) == kDockerTypeSandbox; }
};
absl::StatusOr<std::vector<DockerListed>> ParseDockerList(absl::string_view answer);

// /containers/{id}/json of a container (no sandbox). Of its image only the id is known here.
struct DockerContainer {
  ContainerView view;
  bool tty = false;
  uint32_t pid = 0;  // 0: it does not run.
};
absl::StatusOr<DockerContainer> ParseDockerContainer(absl::string_view answer);

// /images/{name}/json, and an item of /images/json.
struct DockerImage {
  std::string id, user;
  std::vector<std::string> names, digests;
  int64_t size_bytes = 0;
};
absl::StatusOr<DockerImage> ParseDockerImage(absl::string_view answer);
absl::StatusOr<std::vector<DockerImage>> ParseDockerImages(absl::string_view answer);
ImageView ToImageView(const DockerImage& image);

// /info.
struct DockerInfo {
  std::string version, root_dir;
  DockerFacts facts;
};
absl::StatusOr<DockerInfo> ParseDockerInfo(absl::string_view answer);

// /exec/{id}/json.
struct DockerExec {
  bool running = false;
  int32_t exit_code = 0;
  int64_t pid = 0;
};
absl::StatusOr<DockerExec> ParseDockerExec(absl::string_view answer);

// {"Id": "…"} of what was made.
absl::StatusOr<std::string> ParseDockerId(absl::string_view answer);

// Looks in the lines of JSON that a pull tells for the error in them. One thread.
class DockerPullReader {
 public:
  void Put(absl::string_view bytes);
  // OK, or what went wrong.
  const absl::Status& status() const { return status_; }

 private:
  void TakeLine(absl::string_view line);

  std::string line_;  // Of a line that is longer than any of Docker's the rest is left out.
  absl::Status status_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_VIEWS_H_
