#include "services/lib/kubeapi/api_server.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/discovery.h"
#include "services/lib/kubeapi/media_type.h"
#include "services/lib/kubeapi/openapi.h"
#include "services/lib/kubeapi/request_info.h"
#include "services/lib/kubeapi/request_options.h"
#include "services/lib/kubeapi/table.h"
#include "services/lib/kubeapi/watch.h"

namespace skerry::kubeapi {
namespace {

constexpr char kJsonType[] = "application/json";
constexpr char kBindingType[] = "io.k8s.api.core.v1.Binding";
constexpr char kAggregatedType[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

http::Response JsonResponse(int code, const Json& body, const char* type = kJsonType) {
  return {code, {{"Content-Type", type}, {"Cache-Control", "no-cache, private"}}, DumpJson(body)};
}

http::Response TextResponse(int code, std::string text) {
  return {code, {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}}, std::move(text)};
}

http::Response ErrorResponse(const absl::Status& status) {
  http::Response response = JsonResponse(HttpCode(status), StatusObject(status));
  if (response.status == 429 || response.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

bool AcceptsJson(absl::string_view accept) {
  for (const MediaType& media : ParseMediaTypes(accept)) {
    if (media.type == kJsonType || media.type == "*/*" || media.type == "application/*") return true;
  }
  return accept.empty();
}

bool WantsAggregated(absl::string_view accept) {
  for (const MediaType& media : ParseMediaTypes(accept)) {
    if (media.type != kJsonType) continue;
    const auto as = media.parameters.find("as");
    const auto version = media.parameters.find("v");
    if (as == media.parameters.end()) return false;  // The plain form is preferred.
    if (as->second == "APIGroupDiscoveryList" && version != media.parameters.end() && version->second == "v2") return true;
  }
  return false;
}

std::string KindOf(const Resource& resource) { return resource.kind + "List"; }

// As kube-apiserver: items of built-in lists do not repeat apiVersion and kind.
Json ListObject(const Resource& resource, ListResult list) {
  Json items = Json::array();
  for (Json& item : list.items) {
    if (!resource.custom) {
      item.erase("apiVersion");
      item.erase("kind");
    }
    items.push_back(std::move(item));
  }
  return {{"kind", KindOf(resource)},
          {"apiVersion", resource.ApiVersion()},
          {"metadata", Json::object()},
          {"items", std::move(items)}};
}

Json PartialList(const std::vector<Json>& objects) {
  Json items = Json::array();
  for (const Json& object : objects) items.push_back(MakePartial(object));
  return {{"kind", "PartialObjectMetadataList"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", Json::object()},
          {"items", std::move(items)}};
}

Json SuccessStatus(const Resource& resource, const Json& object) {
  Json details = {{"name", StringAt(object, {"metadata", "name"})},
                  {"kind", resource.plural},
                  {"uid", StringAt(object, {"metadata", "uid"})}};
  if (!resource.group.empty()) details["group"] = resource.group;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", Json::object()},
          {"status", "Success"},
          {"details", std::move(details)}};
}

}  // namespace

struct ApiServer::Call {
  const Caller& caller;
  http::Request request;
  std::shared_ptr<http::Responder> responder;
  RequestInfo info;
  ResourcePtr resource;
  std::vector<std::string> warnings;
  int code = 0;           // Of the answer.
  bool streaming = false;  // The answer went out as a stream.
};

void ApiServer::Handle(http::Request request, std::shared_ptr<http::Responder> responder) {
  absl::StatusOr<Caller> caller = deps_.access.Authenticate(request);
  if (!caller.ok()) {
    const absl::Status status =
        absl::IsUnauthenticated(caller.status()) ? UnauthorizedError() : caller.status();
    deps_.metrics.RequestDone("other", "", HttpCode(status), absl::ZeroDuration());
    responder->Send(ErrorResponse(status));
    return;
  }
  HandleAs(*caller, std::move(request), std::move(responder));
}

void ApiServer::HandleAs(const Caller& caller, http::Request request, std::shared_ptr<http::Responder> responder) {
  const absl::Duration started = deps_.clock.Monotonic();
  Call call{caller, std::move(request), std::move(responder)};
  call.info = ParseRequest(call.request.method, call.request.path, call.request.query);
  Run(call);
  const std::string resource = call.resource == nullptr  ? ""
                               : call.resource->custom ? "custom"
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
      deps_.log.Error("request failed", response.status(), {{"verb", call.info.verb}, {"path", call.info.path}});
    }
    response = ErrorResponse(response.status());
  }
  for (const std::string& warning : call.warnings) {
    const std::string text = absl::StrReplaceAll(warning, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\r", " "}, {"\n", " "}});
    response->headers.emplace_back("Warning", absl::StrCat("299 - \"", text, "\""));
  }
  call.code = response->status;
  call.responder->Send(*std::move(response));
}

absl::StatusOr<http::Response> ApiServer::Dispatch(Call& call) {
  const RequestInfo& info = call.info;
  if (!deps_.access.Allows(call.caller, info)) {
    if (!info.is_resource) return ForbiddenPathError(call.caller.name, info.verb, info.path);
    const std::string what = info.subresource.empty() ? info.resource : absl::StrCat(info.resource, "/", info.subresource);
    const std::string where = info.ns.empty() || info.resource == "namespaces"
                                  ? " at the cluster scope"
                                  : absl::StrCat(" in the namespace \"", info.ns, "\"");
    return ForbiddenError({info.group, info.resource, "", info.name},
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
    const std::string waiting = deps_.waiting_for ? deps_.waiting_for() : "";
    return waiting.empty() ? TextResponse(200, "ok") : TextResponse(500, absl::StrCat("waiting for: ", waiting));
  }
  if (path == "/version") return JsonResponse(200, VersionInfo());

  const std::vector<ResourcePtr> resources = deps_.registry.All();
  if (path == "/api" || path == "/apis") {
    const bool core = path == "/api";
    if (WantsAggregated(accept)) return JsonResponse(200, AggregatedDiscovery(resources, core), kAggregatedType);
    if (!AcceptsJson(accept)) return NotAcceptableError({kJsonType});
    return JsonResponse(200, core ? ApiVersions() : ApiGroupList(resources));
  }
  if (path == "/openapi/v2") {
    // The protobuf form is not served; clients that list JSON too get that.
    if (!AcceptsJson(accept)) return NotAcceptableError({kJsonType});
    return JsonResponse(200, OpenApiV2Document(deps_.registry));
  }
  if (path == "/openapi/v3") return JsonResponse(200, OpenApiV3Index(deps_.registry));
  std::optional<Json> found;
  const std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  if (absl::ConsumePrefix(&path, "/openapi/v3/")) {
    if (!AcceptsJson(accept)) return NotAcceptableError({kJsonType});
    if (parts.size() == 4 && parts[2] == "api") found = OpenApiV3Document(deps_.registry, "", parts[3]);
    if (parts.size() == 5 && parts[2] == "apis") found = OpenApiV3Document(deps_.registry, parts[3], parts[4]);
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
  if (!info.subresource.empty() && !resource.HasSubresource(info.subresource)) return PathNotFoundError();
  if (!resource.namespaced && !info.ns.empty() && info.resource != "namespaces") return PathNotFoundError();
  const bool named = !info.name.empty() && info.verb != "list" && info.verb != "watch" && info.verb != "deletecollection";
  const bool needs_namespace = resource.namespaced && (named || info.verb == "create");
  if (needs_namespace && info.ns.empty()) return MethodNotAllowedError({}, info.verb);
  if (resource.virtual_ && info.verb != "create") return MethodNotAllowedError(resource.About(""), info.verb);

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

absl::StatusOr<http::Response> ApiServer::Encode(Call& call, int code, const Json& object) {
  const std::optional<ObjectForm> form = NegotiateForm(call.request.Header("accept"));
  if (!form.has_value()) return NotAcceptableError({kJsonType});
  if (*form == ObjectForm::kObject || StringAt(object, {"kind"}) == "Status") return JsonResponse(code, object);
  if (*form == ObjectForm::kPartialMetadata) return JsonResponse(code, MakePartial(object));
  SKERRY_ASSIGN_OR_RETURN(const IncludeObject include,
                          ParseIncludeObject(call.request.Query("includeObject").value_or("")));
  Json table = MakeTable(*call.resource, {object}, include, deps_.clock.Now(), /*columns=*/true);
  table["metadata"]["resourceVersion"] = StringAt(object, {"metadata", "resourceVersion"});
  return JsonResponse(code, table);
}

absl::StatusOr<http::Response> ApiServer::Get(Call& call) {
  if (call.info.subresource == "binding" || call.info.subresource == "finalize") {
    return MethodNotAllowedError(call.resource->About(""), call.info.verb);
  }
  SKERRY_ASSIGN_OR_RETURN(const Json object, deps_.objects.Get(*call.resource, call.info.ns, call.info.name));
  return Encode(call, 200, object);
}

absl::StatusOr<http::Response> ApiServer::List(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const ListOptions options, ReadListOptions(call.request, *call.resource));
  const std::optional<ObjectForm> form = NegotiateForm(call.request.Header("accept"));
  if (!form.has_value()) return NotAcceptableError({kJsonType});
  SKERRY_ASSIGN_OR_RETURN(const IncludeObject include,
                          ParseIncludeObject(call.request.Query("includeObject").value_or("")));
  SKERRY_ASSIGN_OR_RETURN(ListResult list, deps_.objects.List(*call.resource, call.info.ns, options));
  const StoreRevision revision = list.revision;
  const std::string token = list.continue_token;
  Json body;
  switch (*form) {
    case ObjectForm::kObject:
      body = ListObject(*call.resource, std::move(list));
      break;
    case ObjectForm::kTable:
      body = MakeTable(*call.resource, list.items, include, deps_.clock.Now(), /*columns=*/true);
      break;
    case ObjectForm::kPartialMetadata:
      body = PartialList(list.items);
      break;
  }
  body["metadata"]["resourceVersion"] = absl::StrCat(revision);
  if (!token.empty()) body["metadata"]["continue"] = token;
  return JsonResponse(200, body);
}

absl::StatusOr<http::Response> ApiServer::Watch(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(WatchOptions options, ReadWatchOptions(call.request, *call.resource));
  const std::optional<ObjectForm> form = NegotiateForm(call.request.Header("accept"));
  if (!form.has_value()) return NotAcceptableError({kJsonType});
  options.resource = call.resource;
  options.ns = call.info.ns;
  options.form = *form;
  SKERRY_ASSIGN_OR_RETURN(options.include, ParseIncludeObject(call.request.Query("includeObject").value_or("")));
  ServerMetrics& metrics = deps_.metrics;
  SKERRY_RETURN_IF_ERROR(ServeWatch(deps_.objects, deps_.store, deps_.clock, std::move(options), call.responder,
                                    [&metrics] { metrics.WatchEnded(); }));
  metrics.WatchStarted();
  call.streaming = true;
  return http::Response{};
}

absl::StatusOr<http::Response> ApiServer::Create(Call& call) {
  const Resource& resource = *call.resource;
  const RequestInfo& info = call.info;
  SKERRY_ASSIGN_OR_RETURN(const WriteOptions options, ReadWriteOptions(call.request));
  const Schema* schema = resource.schema.get();
  if (info.subresource == "binding") schema = deps_.registry.types().at(kBindingType).get();
  SKERRY_ASSIGN_OR_RETURN(Json body, ReadBody(call.request, schema));
  if (resource.virtual_) return Review(call, body);
  if (info.subresource == "binding") {
    SKERRY_RETURN_IF_ERROR(deps_.objects.Bind(info.ns, info.name, body, options.dry_run));
    return JsonResponse(201, {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", "Success"}, {"code", 201}});
  }
  if (!info.name.empty()) return MethodNotAllowedError(resource.About(""), "POST");
  SKERRY_ASSIGN_OR_RETURN(const Json object,
                          deps_.objects.Create(resource, info.ns, std::move(body), options, call.warnings));
  return Encode(call, 201, object);
}

absl::StatusOr<http::Response> ApiServer::Update(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const WriteOptions options, ReadWriteOptions(call.request));
  SKERRY_ASSIGN_OR_RETURN(Json body, ReadBody(call.request, call.resource->schema.get()));
  SKERRY_ASSIGN_OR_RETURN(
      const Json object, deps_.objects.Update(*call.resource, call.info.ns, call.info.name, call.info.subresource,
                                              std::move(body), options, call.warnings));
  return Encode(call, 200, object);
}

absl::StatusOr<http::Response> ApiServer::Patch(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const WriteOptions options, ReadWriteOptions(call.request));
  SKERRY_ASSIGN_OR_RETURN(const PatchType type, ReadPatchType(call.request, *call.resource));
  const absl::StatusOr<Json> patch = ParseJson(call.request.body);
  if (!patch.ok()) return BadRequestError(absl::StrCat("error decoding patch: ", std::string(patch.status().message())));
  SKERRY_ASSIGN_OR_RETURN(
      const Json object, deps_.objects.Patch(*call.resource, call.info.ns, call.info.name, call.info.subresource, type,
                                             *patch, options, call.warnings));
  return Encode(call, 200, object);
}

absl::StatusOr<http::Response> ApiServer::Delete(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const DeleteOptions options, ReadDeleteOptions(call.request, deps_.registry.types()));
  SKERRY_ASSIGN_OR_RETURN(const DeleteResult result,
                          deps_.objects.Delete(*call.resource, call.info.ns, call.info.name, options));
  const bool whole = !result.gone || call.resource->returns_deleted;
  return Encode(call, 200, whole ? result.object : SuccessStatus(*call.resource, result.object));
}

absl::StatusOr<http::Response> ApiServer::DeleteCollection(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const ListOptions selection, ReadListOptions(call.request, *call.resource));
  SKERRY_ASSIGN_OR_RETURN(const DeleteOptions options, ReadDeleteOptions(call.request, deps_.registry.types()));
  SKERRY_ASSIGN_OR_RETURN(ListResult list,
                          deps_.objects.DeleteCollection(*call.resource, call.info.ns, selection, options));
  const StoreRevision revision = list.revision;
  Json body = ListObject(*call.resource, std::move(list));
  body["metadata"]["resourceVersion"] = absl::StrCat(revision);
  return JsonResponse(200, body);
}

absl::StatusOr<http::Response> ApiServer::Review(Call& call, const Json& body) {
  Json answer = body.is_object() ? body : Json::object();
  answer["kind"] = call.resource->kind;
  answer["apiVersion"] = call.resource->ApiVersion();
  answer["metadata"] = {{"creationTimestamp", nullptr}};
  if (call.resource->kind == "SelfSubjectReview") {
    answer["status"] = {{"userInfo", {{"username", call.caller.name}, {"groups", call.caller.groups}}}};
    return JsonResponse(201, answer);
  }
  RequestInfo asked;
  if (FindPath(body, {"spec", "resourceAttributes"}) != nullptr) {
    const Json& attributes = ObjectAt(body, {"spec", "resourceAttributes"});
    asked.is_resource = true;
    asked.verb = StringAt(attributes, {"verb"});
    asked.group = StringAt(attributes, {"group"});
    asked.version = StringAt(attributes, {"version"});
    asked.ns = StringAt(attributes, {"namespace"});
    asked.resource = StringAt(attributes, {"resource"});
    asked.subresource = StringAt(attributes, {"subresource"});
    asked.name = StringAt(attributes, {"name"});
  } else if (FindPath(body, {"spec", "nonResourceAttributes"}) != nullptr) {
    asked.verb = StringAt(body, {"spec", "nonResourceAttributes", "verb"});
    asked.path = StringAt(body, {"spec", "nonResourceAttributes", "path"});
  } else {
    return InvalidError(call.resource->About(""),
                        {FieldInvalid("spec.resourceAttributes", "", "exactly one of nonResourceAttributes or resourceAttributes must be specified")});
  }
  answer["status"] = {{"allowed", deps_.access.Allows(call.caller, asked)}};
  return JsonResponse(201, answer);
}

absl::Status ApiServer::LoadDefinitions() {
  const ResourcePtr crds = deps_.registry.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  SKERRY_ASSIGN_OR_RETURN(const ListResult list, deps_.objects.List(*crds, "", {}));
  for (const Json& definition : list.items) {
    const std::string name = StringAt(definition, {"metadata", "name"});
    absl::StatusOr<std::vector<ResourcePtr>> resources = MakeCustomResources(definition);
    if (!resources.ok()) {
      // Stored by an older version with other rules: the others must still be served.
      deps_.log.Error("custom resource definition is not usable", resources.status(), {{"key", name}});
      continue;
    }
    deps_.registry.SetCustom(name, *std::move(resources));
  }
  return absl::OkStatus();
}

}  // namespace skerry::kubeapi
