#include "services/lib/kubeclient/curl_client.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeclient/api_errors.h"
#include "services/lib/kubeclient/watch_decoder.h"

namespace skerry::kubeclient {
namespace {

constexpr size_t kWatchLineBytesMax = 8u << 20;
constexpr absl::Duration kWatchGrace = absl::Seconds(30);  // For the server to end a watch in time.

std::string Escape(absl::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += {'%', kHex[u >> 4], kHex[u & 15]};
    }
  }
  return out;
}

std::string PathOf(const Resource& resource, absl::string_view object_namespace,
                   absl::string_view name = "", absl::string_view subresource = "") {
  std::string path = resource.group.empty()
                         ? absl::StrCat("/api/", resource.version)
                         : absl::StrCat("/apis/", resource.group, "/", resource.version);
  if (resource.namespaced && !object_namespace.empty()) {
    absl::StrAppend(&path, "/namespaces/", Escape(object_namespace));
  }
  absl::StrAppend(&path, "/", resource.plural);
  if (!name.empty()) absl::StrAppend(&path, "/", Escape(name));
  if (!subresource.empty()) absl::StrAppend(&path, "/", Escape(subresource));
  return path;
}

class Query {
 public:
  Query& Add(absl::string_view key, absl::string_view value) {
    if (!value.empty()) {
      absl::StrAppend(&text_, text_.empty() ? "?" : "&", key, "=", Escape(value));
    }
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

const char* ContentTypeOf(PatchType type) {
  switch (type) {
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  return "";
}

HttpRequest MakeRequest(absl::string_view method, std::string target, const CallOptions& options,
                        absl::string_view content_type = "", absl::string_view body = "") {
  return {.method = std::string(method),
          .target = std::move(target),
          .content_type = std::string(content_type),
          .body = std::string(body),
          .timeout = options.timeout,
          .stop = options.stop};
}

// "PodList" -> "Pod": items of lists carry no kind of their own.
std::string ItemKind(const nlohmann::json& list) {
  std::string kind = kubeapi::StringAt(list, {"kind"});
  if (kind.size() > 4 && kind.compare(kind.size() - 4, 4, "List") == 0)
    kind.resize(kind.size() - 4);
  return kind;
}

}  // namespace

CurlClient::CurlClient(std::unique_ptr<ConfigSource> config, absl::string_view user_agent)
    : transport_(std::move(config), {.user_agent = std::string(user_agent)}) {}

absl::StatusOr<std::string> CurlClient::Body(const HttpRequest& request) {
  SKERRY_ASSIGN_OR_RETURN(HttpAnswer answer, transport_.Perform(request));
  if (answer.status >= 200 && answer.status < 300) return std::move(answer.body);
  return StatusFromAnswer(answer.status, answer.body, answer.retry_after);
}

absl::StatusOr<KubeObject> CurlClient::Object(const HttpRequest& request) {
  SKERRY_ASSIGN_OR_RETURN(std::string body, Body(request));
  absl::StatusOr<KubeObject> object = KubeObject::Parse(body);
  if (!object.ok()) {
    return absl::InternalError(
        absl::StrCat("malformed answer of the API server: ", object.status().message()));
  }
  return object;
}

absl::StatusOr<KubeObject> CurlClient::Get(const Resource& resource,
                                           absl::string_view object_namespace,
                                           absl::string_view name, const CallOptions& options) {
  return Object(MakeRequest("GET", PathOf(resource, object_namespace, name), options));
}

absl::StatusOr<ObjectList> CurlClient::List(const Resource& resource,
                                            absl::string_view object_namespace,
                                            const ListOptions& options) {
  Query query;
  query.Add("labelSelector", options.label_selector)
      .Add("fieldSelector", options.field_selector)
      .Add("limit", options.limit > 0 ? absl::StrCat(options.limit) : "")
      .Add("continue", options.continue_token)
      .Add("resourceVersion", options.resource_version);
  SKERRY_ASSIGN_OR_RETURN(
      std::string body,
      Body(MakeRequest("GET", absl::StrCat(PathOf(resource, object_namespace), query.text()),
                       options.call)));
  absl::StatusOr<nlohmann::json> json = kubeapi::ParseJson(body);
  if (!json.ok() || !kubeapi::FindPath(*json, {"items"})) {
    return absl::InternalError(
        absl::StrCat("malformed list of ", resource.plural, " from the API server"));
  }
  ObjectList list;
  list.resource_version = kubeapi::StringAt(*json, {"metadata", "resourceVersion"});
  list.continue_token = kubeapi::StringAt(*json, {"metadata", "continue"});
  const std::string api_version = kubeapi::StringAt(*json, {"apiVersion"});
  const std::string kind = ItemKind(*json);
  nlohmann::json& items = (*json)["items"];
  if (!items.is_array()) return list;  // Go renders an empty list as null.
  for (nlohmann::json& item : items) {
    if (item.is_object()) {
      item.emplace("apiVersion", api_version);
      item.emplace("kind", kind);
    }
    absl::StatusOr<KubeObject> object = KubeObject::FromJson(std::move(item));
    if (!object.ok())
      return absl::InternalError(absl::StrCat(resource.plural, ": ", object.status().message()));
    list.items.push_back(*std::move(object));
  }
  return list;
}

absl::StatusOr<KubeObject> CurlClient::Create(const Resource& resource,
                                              absl::string_view object_namespace,
                                              absl::string_view body, const CallOptions& options) {
  return Object(
      MakeRequest("POST", PathOf(resource, object_namespace), options, "application/json", body));
}

absl::StatusOr<KubeObject> CurlClient::Update(const Resource& resource,
                                              absl::string_view object_namespace,
                                              absl::string_view name, absl::string_view body,
                                              absl::string_view subresource,
                                              const CallOptions& options) {
  return Object(MakeRequest("PUT", PathOf(resource, object_namespace, name, subresource), options,
                            "application/json", body));
}

absl::StatusOr<KubeObject> CurlClient::Patch(const Resource& resource,
                                             absl::string_view object_namespace,
                                             absl::string_view name, PatchType type,
                                             absl::string_view patch, const PatchOptions& options) {
  Query query;
  query.Add("fieldManager", options.field_manager);
  if (type == PatchType::kApply) query.Add("force", options.force ? "true" : "");
  return Object(MakeRequest(
      "PATCH",
      absl::StrCat(PathOf(resource, object_namespace, name, options.subresource), query.text()),
      options.call, ContentTypeOf(type), patch));
}

absl::Status CurlClient::Delete(const Resource& resource, absl::string_view object_namespace,
                                absl::string_view name, const DeleteOptions& options) {
  nlohmann::json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  if (options.grace_period_seconds.has_value())
    body["gracePeriodSeconds"] = *options.grace_period_seconds;
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (!options.resource_version.empty())
    body["preconditions"]["resourceVersion"] = options.resource_version;
  if (!options.propagation.empty()) body["propagationPolicy"] = options.propagation;
  return Body(MakeRequest("DELETE", PathOf(resource, object_namespace, name), options.call,
                          "application/json", kubeapi::DumpJson(body)))
      .status();
}

absl::Status CurlClient::Watch(const Resource& resource, absl::string_view object_namespace,
                               const WatchOptions& options,
                               const std::function<void(WatchEvent event)>& on_event) {
  Query query;
  query.Add("watch", "true")
      .Add("labelSelector", options.label_selector)
      .Add("fieldSelector", options.field_selector)
      .Add("resourceVersion", options.resource_version)
      .Add("allowWatchBookmarks", options.bookmarks ? "true" : "")
      .Add("timeoutSeconds", absl::StrCat(absl::ToInt64Seconds(options.timeout)));
  WatchDecoder decoder(kWatchLineBytesMax, on_event);
  HttpRequest request =
      MakeRequest("GET", absl::StrCat(PathOf(resource, object_namespace), query.text()),
                  {.timeout = options.timeout + kWatchGrace, .stop = options.stop});
  request.on_chunk = [&decoder](absl::string_view chunk) { return decoder.Feed(chunk); };
  return Body(request).status();
}

absl::StatusOr<std::string> CurlClient::GetRaw(absl::string_view path, const CallOptions& options) {
  return Body(MakeRequest("GET", std::string(path), options));
}

absl::StatusOr<std::string> CurlClient::PostRaw(absl::string_view path, absl::string_view body,
                                                const CallOptions& options) {
  return Body(MakeRequest("POST", std::string(path), options, "application/json", body));
}

}  // namespace skerry::kubeclient
