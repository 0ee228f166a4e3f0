#include "services/lib/kubeapi/pod_stream_target.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/request_info.h"

namespace skerry::kubeapi {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

// Our spelling and the kubelet's.
constexpr std::pair<const char*, const char*> kFlags[] = {
    {"stdin", "input"}, {"stdout", "output"}, {"stderr", "error"}, {"tty", "tty"}};

std::string Escape(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      absl::StrAppend(&out, absl::StrFormat("%%%02X", byte));
    }
  }
  return out;
}

std::string First(const Query& query, absl::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return "";
}

std::vector<std::string> Names(const Json& pod, const char* list) {
  std::vector<std::string> names;
  for (const Json& container : ArrayAt(pod, {"spec", list}))
    names.push_back(StringAt(container, {"name"}));
  return names;
}

absl::StatusOr<std::string> ContainerOf(const Json& pod, const Query& query) {
  const std::string name = StringAt(pod, {"metadata", "name"});
  const std::vector<std::string> containers = Names(pod, "containers");
  const std::vector<std::string> inits = Names(pod, "initContainers");
  const std::string asked = First(query, "container");
  if (asked.empty()) {
    if (containers.size() == 1) return containers[0];
    std::string message = absl::StrCat("a container name must be specified for pod ", name,
                                       ", choose one of: [", absl::StrJoin(containers, " "), "]");
    if (!inits.empty())
      absl::StrAppend(&message, " or one of the init containers: [", absl::StrJoin(inits, " "),
                      "]");
    return BadRequestError(message);
  }
  for (const auto* list : {&containers, &inits}) {
    for (const std::string& container : *list) {
      if (container == asked) return asked;
    }
  }
  return BadRequestError(absl::StrCat("container ", asked, " is not valid for pod ", name));
}

class QueryWriter {
 public:
  void Add(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text_, text_.empty() ? "?" : "&", name, "=", Escape(value));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string LogQuery(const Query& query) {
  QueryWriter out;
  for (const auto& [name, value] : query) {
    for (const char* known : {"follow", "previous", "sinceSeconds", "sinceTime", "timestamps",
                              "tailLines", "limitBytes"}) {
      if (name == known) out.Add(name, value);
    }
  }
  return out.text();
}

std::string StreamQuery(const Query& query) {
  QueryWriter out;
  for (const auto& [ours, kubelets] : kFlags) {
    if (IsTrue(First(query, ours))) out.Add(kubelets, "1");
  }
  for (const auto& [name, value] : query) {
    if (name == "command") out.Add(name, value);
  }
  return out.text();
}

std::string PortQuery(const Query& query) {
  QueryWriter out;
  for (const auto& [name, value] : query) {
    if (name == "ports") out.Add("port", value);
  }
  return out.text();
}

}  // namespace

bool IsPodStream(absl::string_view subresource) {
  return subresource == "log" || subresource == "exec" || subresource == "attach" ||
         subresource == "portforward";
}

absl::StatusOr<std::string> KubeletTarget(absl::string_view subresource, const Json& pod,
                                          const Query& query) {
  const std::string where = absl::StrCat(Escape(StringAt(pod, {"metadata", "namespace"})), "/",
                                         Escape(StringAt(pod, {"metadata", "name"})));
  if (subresource == "portforward") return absl::StrCat("/portForward/", where, PortQuery(query));
  SKERRY_ASSIGN_OR_RETURN(const std::string container, ContainerOf(pod, query));
  if (subresource == "log")
    return absl::StrCat("/containerLogs/", where, "/", Escape(container), LogQuery(query));
  return absl::StrCat("/", subresource, "/", where, "/", Escape(container), StreamQuery(query));
}

absl::StatusOr<KubeletAddress> KubeletAddressOf(const Json& node) {
  KubeletAddress address;
  const int64_t port = IntAt(node, {"status", "daemonEndpoints", "kubeletEndpoint", "Port"});
  const std::string name = StringAt(node, {"metadata", "name"});
  if (port < 1 || port > 65535) {
    return ApiError(502, "InternalError",
                    absl::StrCat("node ", name,
                                 " has no kubelet endpoint; set kubelet.listen of "
                                 "edge-controller-svc"));
  }
  address.port = static_cast<uint16_t>(port);
  for (const char* type : {"Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"}) {
    for (const Json& entry : ArrayAt(node, {"status", "addresses"})) {
      if (StringAt(entry, {"type"}) != type) continue;
      address.host = StringAt(entry, {"address"});
      if (!address.host.empty()) return address;
    }
  }
  return ApiError(502, "InternalError",
                  absl::StrCat("node ", name, " has no address that the API could dial"));
}

}  // namespace skerry::kubeapi
