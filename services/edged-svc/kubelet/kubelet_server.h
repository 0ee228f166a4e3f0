// The kubelet's HTTP API on connections that come through tunnels.
#ifndef SKERRY_SERVICES_EDGED_SVC_KUBELET_KUBELET_SERVER_H_
#define SKERRY_SERVICES_EDGED_SVC_KUBELET_KUBELET_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/edged-svc/adapters/pod_folders.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/kubelet/request_head.h"
#include "services/edged-svc/runner/pod_manager.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"
#include "services/lib/pipe/byte_stream.h"
#include "services/lib/pipe/connector.h"

namespace skerry::edged {

// One request a connection: /containerLogs, /exec, /attach, /portForward, /healthz, with the
// kubelet's words for what goes wrong. Streams to containers are the runtime's own: the request is
// forwarded to the URL that it names, and bytes are passed on untouched. Any thread may call Serve;
// nothing it was given is used once every connection and the pool have ended.
class KubeletServer {
 public:
  using FindPod = std::function<std::optional<PodManager::PodState>(const std::string& key)>;
  struct Deps {
    Runtime& runtime;
    const PodFolders& folders;
    exec::ThreadPool& pool;
    exec::SerialExecutor& timers;
    Clock& clock;
    log::Logger log;
  };

  KubeletServer(Deps deps, FindPod find_pod)
      : deps_(std::move(deps)), find_pod_(std::move(find_pod)) {}

  void Serve(std::shared_ptr<pipe::ByteStream> client);

 private:
  struct Conversation;
  using Client = std::shared_ptr<pipe::ByteStream>;

  void ReadHead(std::shared_ptr<Conversation> conversation);
  // On the pool.
  void Handle(Client client, const RequestHead& head, std::string rest);
  void ServeLogs(Client client, const RequestHead& head, const std::vector<std::string>& path);
  void ServeStream(Client client, const RequestHead& head, const std::vector<std::string>& path,
                   std::string rest);
  void Forward(Client client, const RequestHead& head, const std::string& url, std::string rest);
  void Respond(Client client, int status, absl::string_view text);

  const Deps deps_;
  const FindPod find_pod_;
  pipe::Connector connector_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_KUBELET_KUBELET_SERVER_H_
