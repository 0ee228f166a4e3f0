#include "services/lib/kubeapi/request_info.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace skerry::kubeapi {
namespace {

std::string QueryValue(const std::vector<std::pair<std::string, std::string>>& query,
                       absl::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return "";
}

std::string VerbOf(absl::string_view method, bool named, bool watch) {
  // As in kube-apiserver, a watch is of a collection: ?watch=true on a named path asks for that
  // object.
  if (method == "GET" || method == "HEAD") return named ? "get" : watch ? "watch" : "list";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return named ? "delete" : "deletecollection";
  return absl::AsciiStrToLower(method);
}

}  // namespace

bool IsTrue(absl::string_view value) { return value == "true" || value == "1"; }

RequestInfo ParseRequest(absl::string_view method, absl::string_view path,
                         const std::vector<std::pair<std::string, std::string>>& query) {
  RequestInfo info;
  info.path = std::string(path);
  info.verb = absl::AsciiStrToLower(method);
  if (info.verb == "head") info.verb = "get";
  const std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());

  size_t at = 0;
  if (parts.size() >= 3 && parts[0] == "api") {
    info.version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    info.group = parts[1];
    info.version = parts[2];
    at = 3;
  } else {
    return info;
  }

  // "namespaces/x" names a scope when a resource follows that is no subresource of the namespace
  // itself.
  if (parts[at] == "namespaces" && info.group.empty() && parts.size() > at + 1) {
    info.ns = parts[at + 1];
    const bool own =
        parts.size() == at + 2 ||
        (parts.size() == at + 3 && (parts[at + 2] == "status" || parts[at + 2] == "finalize"));
    if (!own) at += 2;
  } else if (parts[at] == "namespaces" && parts.size() > at + 2) {
    info.ns = parts[at + 1];
    at += 2;
  }
  info.is_resource = true;
  info.resource = parts[at];
  if (parts.size() > at + 1) info.name = parts[at + 1];
  if (parts.size() > at + 2) info.subresource = parts[at + 2];
  if (parts.size() > at + 3) info.is_resource = false;  // Proxies and the like: not served.
  info.verb = VerbOf(method, !info.name.empty(), IsTrue(QueryValue(query, "watch")));
  if (info.verb == "list" || info.verb == "watch" || info.verb == "deletecollection") {
    // "list with fieldSelector metadata.name=x" is authorized as a request for that name.
    const std::string selector = QueryValue(query, "fieldSelector");
    constexpr absl::string_view kName = "metadata.name=";
    if (info.name.empty() && absl::string_view(selector).substr(0, kName.size()) == kName &&
        selector.find(',') == std::string::npos) {
      std::string name = selector.substr(kName.size());
      name.erase(0, std::min(name.find_first_not_of('='), name.size()));
      info.name = std::move(name);
    }
  }
  return info;
}

}  // namespace skerry::kubeapi
