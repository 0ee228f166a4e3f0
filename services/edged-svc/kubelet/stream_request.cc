#include "services/edged-svc/kubelet/stream_request.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

absl::Status TakePorts(const RequestHead& head, StreamRequest& request) {
  for (const auto& [name, value] : head.query) {
    if (name != "port") continue;
    int32_t port = 0;
    if (!absl::SimpleAtoi(value, &port) || port < 1 || port > 65535)
      return InvalidField("port", value, "must be a number from 1 to 65535");
    request.ports.push_back(port);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StreamRequest> MakeStreamRequest(const RequestHead& head,
                                                const std::vector<std::string>& path,
                                                const PodManager::PodState& pod) {
  StreamRequest request;
  if (path[0] == "portForward") {
    if (path.size() == 4 && path[3] != pod.pod->uid)
      return absl::NotFoundError("pod does not exist");
    const SandboxView* sandbox = pod.view.ReadySandbox();
    if (sandbox == nullptr)
      return absl::NotFoundError(absl::StrCat("pod not found (\"", pod.pod->Display(), "\")"));
    request.kind = StreamRequest::Kind::kPortForward;
    request.id = sandbox->id;
    if (absl::Status status = TakePorts(head, request); !status.ok()) return status;
    return request;
  }
  if (path.size() == 5 && path[3] != pod.pod->uid) return absl::NotFoundError("pod does not exist");
  const std::string& container = path.back();
  const ContainerView* view = pod.view.Latest(container);
  if (view == nullptr || view->sandbox_id.empty())
    return absl::NotFoundError(absl::StrCat("container not found (\"", container, "\")"));
  request.kind = path[0] == "exec" ? StreamRequest::Kind::kExec : StreamRequest::Kind::kAttach;
  request.id = view->id;
  const auto asked = [&](const char* name) { return head.Query(name) == "1"; };
  request.tty = asked("tty");
  request.in = asked("input");
  request.out = asked("output");
  request.err = asked("error") && !request.tty;  // A terminal has one output.
  if (!request.in && !request.out && !request.err) {
    return absl::InvalidArgumentError("you must specify at least 1 of stdin, stdout, stderr");
  }
  for (const auto& [name, value] : head.query) {
    if (name == "command") request.command.push_back(value);
  }
  return request;
}

}  // namespace skerry::edged
