// What each verb of a resource does.
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/api_server_call.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/media_type.h"
#include "services/lib/kubeapi/request_options.h"
#include "services/lib/kubeapi/table.h"

namespace skerry::kubeapi {
namespace {

constexpr char kJsonType[] = "application/json";
constexpr char kBindingType[] = "io.k8s.api.core.v1.Binding";
constexpr char kTokenRequestType[] = "io.k8s.api.authentication.v1.TokenRequest";

http::Response JsonResponse(int code, const Json& body) {
  return {
      code, {{"Content-Type", kJsonType}, {"Cache-Control", "no-cache, private"}}, DumpJson(body)};
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

absl::StatusOr<http::Response> ApiServer::Encode(Call& call, int code, const Json& object) {
  const std::optional<ObjectForm> form = NegotiateForm(call.request.Header("accept"));
  if (!form.has_value()) return NotAcceptableError({kJsonType});
  if (*form == ObjectForm::kObject || StringAt(object, {"kind"}) == "Status")
    return JsonResponse(code, object);
  if (*form == ObjectForm::kPartialMetadata) return JsonResponse(code, MakePartial(object));
  SKERRY_ASSIGN_OR_RETURN(const IncludeObject include,
                          ParseIncludeObject(call.request.Query("includeObject").value_or("")));
  Json table = MakeTable(*call.resource, {object}, include, deps_.clock.Now(), /*columns=*/true);
  table["metadata"]["resourceVersion"] = StringAt(object, {"metadata", "resourceVersion"});
  return JsonResponse(code, table);
}

absl::StatusOr<http::Response> ApiServer::Get(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const Json object,
                          deps_.objects.Get(*call.resource, call.info.ns, call.info.name));
  return Encode(call, 200, object);
}

absl::StatusOr<http::Response> ApiServer::List(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const ListOptions options, ReadListOptions(call.request, *call.resource));
  const std::optional<ObjectForm> form = NegotiateForm(call.request.Header("accept"));
  if (!form.has_value()) return NotAcceptableError({kJsonType});
  SKERRY_ASSIGN_OR_RETURN(const IncludeObject include,
                          ParseIncludeObject(call.request.Query("includeObject").value_or("")));
  SKERRY_ASSIGN_OR_RETURN(ListResult list,
                          deps_.objects.List(*call.resource, call.info.ns, options));
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
  SKERRY_ASSIGN_OR_RETURN(options.include,
                          ParseIncludeObject(call.request.Query("includeObject").value_or("")));
  ServerMetrics& metrics = deps_.metrics;
  SKERRY_RETURN_IF_ERROR(
      watches_.Serve(std::move(options), call.responder, [&metrics] { metrics.WatchEnded(); }));
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
  if (info.subresource == "token") schema = deps_.registry.types().at(kTokenRequestType).get();
  SKERRY_ASSIGN_OR_RETURN(Json body, ReadBody(call.request, schema));
  if (resource.kind == "TokenReview") return ReviewToken(call, body);
  if (resource.virtual_) return Review(call, body);
  if (info.subresource == "token") return CreateToken(call, body);
  if (info.subresource == "binding") {
    SKERRY_RETURN_IF_ERROR(deps_.objects.Bind(info.ns, info.name, body, options.dry_run));
    return JsonResponse(201, {{"kind", "Status"},
                              {"apiVersion", "v1"},
                              {"metadata", Json::object()},
                              {"status", "Success"},
                              {"code", 201}});
  }
  if (!info.name.empty()) return MethodNotAllowedError(resource.About(""), "POST");
  SKERRY_ASSIGN_OR_RETURN(
      const Json object,
      deps_.objects.Create(resource, info.ns, std::move(body), options, call.warnings));
  return Encode(call, 201, object);
}

absl::StatusOr<http::Response> ApiServer::Update(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const WriteOptions options, ReadWriteOptions(call.request));
  SKERRY_ASSIGN_OR_RETURN(Json body, ReadBody(call.request, call.resource->schema.get()));
  SKERRY_ASSIGN_OR_RETURN(
      const Json object,
      deps_.objects.Update(*call.resource, call.info.ns, call.info.name, call.info.subresource,
                           std::move(body), options, call.warnings));
  return Encode(call, 200, object);
}

absl::StatusOr<http::Response> ApiServer::Patch(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const WriteOptions options, ReadWriteOptions(call.request));
  SKERRY_ASSIGN_OR_RETURN(const PatchType type, ReadPatchType(call.request, *call.resource));
  const absl::StatusOr<Json> patch = ParseJson(call.request.body);
  if (!patch.ok())
    return BadRequestError(
        absl::StrCat("error decoding patch: ", std::string(patch.status().message())));
  SKERRY_ASSIGN_OR_RETURN(
      const Json object,
      deps_.objects.Patch(*call.resource, call.info.ns, call.info.name, call.info.subresource, type,
                          *patch, options, call.warnings));
  return Encode(call, 200, object);
}

absl::StatusOr<http::Response> ApiServer::Delete(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const DeleteOptions options,
                          ReadDeleteOptions(call.request, deps_.registry.types()));
  SKERRY_ASSIGN_OR_RETURN(
      const DeleteResult result,
      deps_.objects.Delete(*call.resource, call.info.ns, call.info.name, options));
  const bool whole = !result.gone || call.resource->returns_deleted;
  return Encode(call, 200, whole ? result.object : SuccessStatus(*call.resource, result.object));
}

absl::StatusOr<http::Response> ApiServer::DeleteCollection(Call& call) {
  SKERRY_ASSIGN_OR_RETURN(const ListOptions selection,
                          ReadListOptions(call.request, *call.resource));
  SKERRY_ASSIGN_OR_RETURN(const DeleteOptions options,
                          ReadDeleteOptions(call.request, deps_.registry.types()));
  SKERRY_ASSIGN_OR_RETURN(ListResult list, deps_.objects.DeleteCollection(
                                               *call.resource, call.info.ns, selection, options));
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
    answer["status"] = {
        {"userInfo", {{"username", call.caller.name}, {"groups", call.caller.groups}}}};
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
    return InvalidError(
        call.resource->About(""),
        {FieldInvalid(
            "spec.resourceAttributes", "",
            "exactly one of nonResourceAttributes or resourceAttributes must be specified")});
  }
  answer["status"] = {{"allowed", deps_.access.Allows(call.caller, asked)}};
  return JsonResponse(201, answer);
}

}  // namespace skerry::kubeapi
