#include "services/lib/kubeapi/api_server.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_server_call.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/discovery.h"
#include "services/lib/kubeapi/media_type.h"
#include "services/lib/kubeapi/openapi.h"
#include "services/lib/kubeapi/openapi_v2_protobuf.h"
#include "services/lib/kubeapi/pod_stream_target.h"
#include "services/lib/kubeapi/request_info.h"
#include "services/lib/kubeapi/status_response.h"

namespace skerry::kubeapi {
namespace {

constexpr char kJsonType[] = "application/json";
constexpr char kAggregatedType[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

http::Response JsonResponse(int code, const Json& body, const char* type = kJsonType) {
  return {code, {{"Content-Type", type}, {"Cache-Control", "no-cache, private"}}, DumpJson(body)};
}

http::Response TextResponse(int code, std::string text) {
  return {code,
          {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}},
          std::move(text)};
}

bool AcceptsJson(absl::string_view accept) {
  for (const MediaType& media : ParseMediaTypes(accept)) {
    if (media.type == kJsonType || media.type == "*/*" || media.type == "application/*")
      return true;
  }
  return accept.empty();
}

bool WantsAggregated(absl::string_view accept) {
  for (const MediaType& media : ParseMediaTypes(accept)) {
    if (media.type != kJsonType) continue;
    const auto as = media.parameters.find("as");
    const auto version = media.parameters.find("v");
    if (as == media.parameters.end()) return false;  // The plain form is preferred.
    if (as->second == "APIGroupDiscoveryList" && version != media.parameters.end() &&
        version->second == "v2")
      return true;
  }
  return false;
}

}  // namespace

void ApiServer::Handle(http::Request request, std::shared_ptr<http::Responder> responder) {
  absl::StatusOr<Caller> caller = deps_.access.Authenticate(request);
  if (!caller.ok()) {
    const absl::Status status =
        absl::IsUnauthenticated(caller.status()) ? UnauthorizedError() : caller.status();
    deps_.metrics.RequestDone("other", "", HttpCode(status), absl::ZeroDuration());
    responder->Send(StatusResponse(status));
    return;
  }
  HandleAs(*caller, std::move(request), std::move(responder));
}

void ApiServer::HandleAs(const Caller& caller, http::Request request,
                         std::shared_ptr<http::Responder> responder) {
  const absl::Duration started = deps_.clock.Monotonic();
  Call call{caller, std::move(request), std::move(responder)};
  call.info = ParseRequest(call.request.method, call.request.path, call.request.query);
  Run(call);
  const std::string resource = call.resource == nullptr ? ""
                               : call.resource->custom  ? "custom"
                                                        : call.resource->plural;
  deps_.metrics.RequestDone(call.info.verb, resource, call.code, deps_.clock.Monotonic() - started);
}

void ApiServer::Run(Call& call) {
  absl::StatusOr<http::Response> response = Dispatch(call);
  if (call.streaming) {
    call.code = 200;
    return;
  }
  if (!response.ok()) {
    if (HttpCode(response.status()) >= 500) {
      deps_.log.Error("request failed", response.status(),
                      {{"verb", call.info.verb}, {"path", call.info.path}});
    }
    response = StatusResponse(response.status());
  }
  for (const std::string& warning : call.warnings) {
    const std::string text =
        absl::StrReplaceAll(warning, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\r", " "}, {"\n", " "}});
    response->headers.emplace_back("Warning", absl::StrCat("299 - \"", text, "\""));
  }
  call.code = response->status;
  call.responder->Send(*std::move(response));
}

absl::StatusOr<http::Response> ApiServer::Dispatch(Call& call) {
  const RequestInfo& info = call.info;
  if (!call.caller.in_process && !deps_.access.Allows(call.caller, info)) {
    if (!info.is_resource) return ForbiddenPathError(call.caller.name, info.verb, info.path);
    const std::string what = info.subresource.empty()
                                 ? info.resource
                                 : absl::StrCat(info.resource, "/", info.subresource);
    const std::string where = info.ns.empty() || info.resource == "namespaces"
                                  ? " at the cluster scope"
                                  : absl::StrCat(" in the namespace \"", info.ns, "\"");
    return ForbiddenError(
        {info.group, info.resource, "", info.name},
        absl::StrCat("User \"", call.caller.name, "\" cannot ", info.verb, " resource \"", what,
                     "\" in API group \"", info.group, "\"", where));
  }
  return info.is_resource ? DispatchResource(call) : DispatchPath(call);
}

absl::StatusOr<http::Response> ApiServer::DispatchPath(Call& call) {
  if (call.info.verb != "get") return MethodNotAllowedError({}, call.info.verb);
  const std::string accept = call.request.Header("accept");
  absl::string_view path = absl::StripSuffix(call.info.path, "/");
  if (path == "/livez" || path == "/healthz") return TextResponse(200, "ok");
  if (path == "/readyz") {
    std::string waiting = deps_.waiting_for ? deps_.waiting_for() : "";
    if (!deps_.store.Check().ok()) waiting = "store";
    return waiting.empty() ? TextResponse(200, "ok")
                           : TextResponse(500, absl::StrCat("waiting for: ", waiting));
  }
  if (path == "/version") return JsonResponse(200, VersionInfo());

  const std::vector<ResourcePtr> resources = deps_.registry.All();
  if (path == "/api" || path == "/apis") {
    const bool core = path == "/api";
    if (WantsAggregated(accept))
      return JsonResponse(200, AggregatedDiscovery(resources, core), kAggregatedType);
    if (!AcceptsJson(accept)) return NotAcceptableError({kJsonType});
    return JsonResponse(200, core ? ApiVersions() : ApiGroupList(resources));
  }
  if (path == "/openapi/v2") {
    if (!AcceptsJson(accept)) {
      // kubectl writes "v2@v1.0" or "v2.v1.0", by its age.
      if (!absl::StrContains(accept, "com.github.proto-openapi.spec.v2")) {
        return NotAcceptableError({kJsonType, kOpenApiV2ProtobufType});
      }
      return http::Response{200,
                            {{"Content-Type", kOpenApiV2ProtobufType}},
                            OpenApiV2Protobuf(OpenApiV2Document(deps_.registry))};
    }
    return JsonResponse(200, OpenApiV2Document(deps_.registry));
  }
  if (path == "/openapi/v3") return JsonResponse(200, OpenApiV3Index(deps_.registry));
  std::optional<Json> found;
  const std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  if (absl::ConsumePrefix(&path, "/openapi/v3/")) {
    if (!AcceptsJson(accept)) return NotAcceptableError({kJsonType});
    if (parts.size() == 4 && parts[2] == "api")
      found = OpenApiV3Document(deps_.registry, "", parts[3]);
    if (parts.size() == 5 && parts[2] == "apis")
      found = OpenApiV3Document(deps_.registry, parts[3], parts[4]);
  } else if (parts.size() == 2 && parts[0] == "api") {
    found = ApiResourceList(resources, "", parts[1]);
  } else if (parts.size() == 2 && parts[0] == "apis") {
    found = ApiGroup(resources, parts[1]);
  } else if (parts.size() == 3 && parts[0] == "apis") {
    found = ApiResourceList(resources, parts[1], parts[2]);
  }
  if (!found.has_value()) return PathNotFoundError();
  return JsonResponse(200, *found);
}

absl::StatusOr<http::Response> ApiServer::DispatchResource(Call& call) {
  const RequestInfo& info = call.info;
  call.resource = deps_.registry.Find(info.group, info.version, info.resource);
  if (call.resource == nullptr) return PathNotFoundError();
  const Resource& resource = *call.resource;
  if (!info.subresource.empty() && !resource.HasSubresource(info.subresource))
    return PathNotFoundError();
  if (!resource.namespaced && !info.ns.empty() && info.resource != "namespaces")
    return PathNotFoundError();
  const bool named = !info.name.empty() && info.verb != "list" && info.verb != "watch" &&
                     info.verb != "deletecollection";
  // Without a namespace a deletion of a collection would empty every namespace.
  const bool needs_namespace =
      resource.namespaced && (named || info.verb == "create" || info.verb == "deletecollection");
  if (needs_namespace && info.ns.empty()) return MethodNotAllowedError({}, info.verb);
  if (resource.virtual_ && info.verb != "create")
    return MethodNotAllowedError(resource.About(""), info.verb);

  if (IsPodStream(info.subresource)) return Stream(call);
  if (!info.subresource.empty() && !AllowsVerb(info.subresource, info.verb))
    return MethodNotAllowedError(resource.About(""), info.verb);
  if (info.verb == "get") return Get(call);
  if (info.verb == "list") return List(call);
  if (info.verb == "watch") return Watch(call);
  if (info.verb == "create") return Create(call);
  if (info.verb == "update" && named) return Update(call);
  if (info.verb == "patch" && named) return Patch(call);
  if (info.verb == "delete" && info.subresource.empty()) return Delete(call);
  if (info.verb == "deletecollection" && info.subresource.empty()) return DeleteCollection(call);
  return MethodNotAllowedError(resource.About(""), info.verb);
}

absl::StatusOr<http::Response> ApiServer::Stream(Call& call) {
  const RequestInfo& info = call.info;
  const bool log = info.subresource == "log";
  if (info.verb != "get" && (log || info.verb != "create"))
    return MethodNotAllowedError(call.resource->About(""), info.verb);
  if (deps_.pod_streams == nullptr)
    return ApiError(501, "NotImplemented", "this server has no way to kubelets");
  SKERRY_ASSIGN_OR_RETURN(const Json pod, deps_.objects.Get(*call.resource, info.ns, info.name));
  SKERRY_ASSIGN_OR_RETURN(std::string target,
                          KubeletTarget(info.subresource, pod, call.request.query));
  const std::string node_name = StringAt(pod, {"spec", "nodeName"});
  if (node_name.empty()) {
    if (log) return TextResponse(200, "");
    return BadRequestError(absl::StrCat("pod ", info.name, " does not have a host assigned"));
  }
  const ResourcePtr nodes = deps_.registry.Find("", "v1", "nodes");
  SKERRY_ASSIGN_OR_RETURN(const Json node, deps_.objects.Get(*nodes, "", node_name));
  SKERRY_ASSIGN_OR_RETURN(KubeletAddress kubelet, KubeletAddressOf(node));
  call.streaming = true;
  deps_.pod_streams->Serve({.request = std::move(call.request),
                            .pod = info.name,
                            .log = log,
                            .kubelet = std::move(kubelet),
                            .target = std::move(target)},
                           std::move(call.responder));
  return http::Response{};
}

}  // namespace skerry::kubeapi
