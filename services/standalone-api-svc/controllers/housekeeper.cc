#include "services/standalone-api-svc/controllers/housekeeper.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/custom_resource.h"

namespace skerry::standaloneapi {
namespace {

using kubeapi::Json;
using kubeapi::StringAt;

constexpr absl::Duration kRetry = absl::Seconds(1);
constexpr absl::Duration kSweep = absl::Minutes(1);
constexpr char kSweepPage[] = "500";
constexpr char kDefinitions[] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

bool Is(const absl::Status& status, absl::string_view reason) {
  return !status.ok() && kubeapi::StatusReason(status) == reason;
}

std::string CollectionPath(const kubeapi::Resource& resource, const std::string& ns) {
  const std::string root = resource.group.empty() ? "/api/" : "/apis/";
  return absl::StrCat(root, resource.ApiVersion(),
                      ns.empty() ? "" : absl::StrCat("/namespaces/", ns), "/", resource.plural);
}

// Events of boxes that were cut off are younger here than what they tell of.
absl::Time LastSeen(const Json& event) {
  absl::Time seen = absl::InfinitePast();
  for (const std::string& text :
       {StringAt(event, {"lastTimestamp"}), StringAt(event, {"eventTime"}),
        StringAt(event, {"metadata", "creationTimestamp"})}) {
    absl::Time time;
    if (absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) seen = std::max(seen, time);
  }
  return seen;
}

bool IsTerminating(const Json& object) {
  return kubeapi::FindPath(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

}  // namespace

Housekeeper::Housekeeper(kubeapi::LocalClient& client, const kubeapi::ResourceRegistry& registry,
                         Clock& clock, Options options, log::Logger log)
    : client_(client),
      registry_(registry),
      clock_(clock),
      options_(std::move(options)),
      log_(std::move(log)),
      executor_("housekeeper", clock) {}

Housekeeper::~Housekeeper() { Stop(); }

void Housekeeper::Start() {
  executor_.Post([this] {
    WatchNamespaces();
    WatchDefinitions();
    WatchAccounts();
    ExpireEvents("");
  });
}

void Housekeeper::Stop() {
  // Handles are cut on the executor, which is then drained: no callback posts to a stopped one for
  // long.
  executor_.Post([this] {
    namespaces_.reset();
    definitions_.reset();
    accounts_.reset();
  });
  executor_.Stop();
}

void Housekeeper::Later(const std::string& key, std::function<void()> work) {
  if (!pending_.insert(key).second) return;
  executor_.PostAfter(kRetry, [this, key, work = std::move(work)] {
    pending_.erase(key);
    work();
  });
}

void Housekeeper::WatchNamespaces() {
  namespaces_.reset();
  auto watch =
      client_.Watch("/api/v1/namespaces", {},
                    {[this](absl::string_view type, Json object) {
                       if (type != "ADDED" && type != "MODIFIED") return;
                       const std::string name = StringAt(object, {"metadata", "name"});
                       executor_.Post([this, name] { Reconcile(name); });
                     },
                     [this] { executor_.PostAfter(kRetry, [this] { WatchNamespaces(); }); }});
  if (watch.ok()) {
    namespaces_ = *std::move(watch);
  } else {
    executor_.PostAfter(kRetry, [this] { WatchNamespaces(); });
  }
}

void Housekeeper::WatchDefinitions() {
  definitions_.reset();
  auto watch =
      client_.Watch(kDefinitions, {},
                    {[this](absl::string_view type, Json object) {
                       if (!IsTerminating(object) || type == "DELETED") return;
                       const std::string name = StringAt(object, {"metadata", "name"});
                       executor_.Post([this, name] { ReconcileDefinition(name); });
                     },
                     [this] { executor_.PostAfter(kRetry, [this] { WatchDefinitions(); }); }});
  if (watch.ok()) {
    definitions_ = *std::move(watch);
  } else {
    executor_.PostAfter(kRetry, [this] { WatchDefinitions(); });
  }
}

void Housekeeper::WatchAccounts() {
  // A deleted "default" account comes back, as in a cluster.
  accounts_.reset();
  auto watch =
      client_.Watch("/api/v1/serviceaccounts", {{"fieldSelector", "metadata.name=default"}},
                    {[this](absl::string_view type, Json object) {
                       if (type != "DELETED") return;
                       const std::string ns = StringAt(object, {"metadata", "namespace"});
                       executor_.Post([this, ns] { Reconcile(ns); });
                     },
                     [this] { executor_.PostAfter(kRetry, [this] { WatchAccounts(); }); }});
  if (watch.ok()) {
    accounts_ = *std::move(watch);
  } else {
    executor_.PostAfter(kRetry, [this] { WatchAccounts(); });
  }
}

void Housekeeper::Reconcile(const std::string& name) {
  const absl::StatusOr<Json> ns = client_.Get(absl::StrCat("/api/v1/namespaces/", name));
  if (Is(ns.status(), "NotFound")) return;
  absl::Status status = ns.status();
  if (status.ok()) status = IsTerminating(*ns) ? Empty(*ns) : Equip(name);
  if (status.ok() || Is(status, "NotFound")) return;
  if (!Is(status, "Conflict"))
    log_.Warning("namespace not reconciled yet", status, {{"key", name}});
  Later("namespace/" + name, [this, name] { Reconcile(name); });
}

absl::Status Housekeeper::Equip(const std::string& ns) {
  const std::string path = absl::StrCat("/api/v1/namespaces/", ns);
  const Json account = {
      {"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "default"}}}};
  absl::Status status = client_.Get(path + "/serviceaccounts/default").status();
  if (Is(status, "NotFound")) status = client_.Post(path + "/serviceaccounts", account).status();
  if (!status.ok() && !Is(status, "AlreadyExists")) return status;

  const Json root = {{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata",
                      {{"name", "kube-root-ca.crt"},
                       {"annotations",
                        {{"kubernetes.io/description",
                          "Contains a CA bundle that can be used to verify the kube-apiserver when "
                          "using internal endpoints such as "
                          "the internal service IP or kubernetes.default.svc. No other usage is "
                          "guaranteed across distributions of "
                          "Kubernetes clusters."}}}}},
                     {"data", {{"ca.crt", options_.ca_pem}}}};
  const absl::StatusOr<Json> there = client_.Get(path + "/configmaps/kube-root-ca.crt");
  if (Is(there.status(), "NotFound")) {
    status = client_.Post(path + "/configmaps", root).status();
    return Is(status, "AlreadyExists") ? absl::OkStatus() : status;
  }
  SKERRY_RETURN_IF_ERROR(there.status());
  if (StringAt(*there, {"data", "ca.crt"}) == options_.ca_pem) return absl::OkStatus();
  return client_
      .MergePatch(path + "/configmaps/kube-root-ca.crt", {{"data", {{"ca.crt", options_.ca_pem}}}})
      .status();
}

absl::Status Housekeeper::Empty(const Json& ns) {
  const std::string name = StringAt(ns, {"metadata", "name"});
  size_t left = 0;
  std::set<std::string> seen;
  for (const kubeapi::ResourcePtr& resource : registry_.All()) {
    if (!resource->namespaced || resource->virtual_ || !seen.insert(resource->StorageName()).second)
      continue;
    const std::string path = CollectionPath(*resource, name);
    SKERRY_RETURN_IF_ERROR(client_.Delete(path).status());
    SKERRY_ASSIGN_OR_RETURN(const Json rest, client_.Get(path, {{"limit", "1"}}));
    left += kubeapi::ArrayAt(rest, {"items"}).size();
  }
  if (left > 0) {
    // Pods that still stop, or finalizers of others.
    Later("namespace/" + name, [this, name] { Reconcile(name); });
    return absl::OkStatus();
  }
  Json finalized = ns;
  finalized["spec"]["finalizers"] = Json::array();
  return client_.Put(absl::StrCat("/api/v1/namespaces/", name, "/finalize"), finalized).status();
}

void Housekeeper::ReconcileDefinition(const std::string& name) {
  const absl::StatusOr<Json> definition = client_.Get(absl::StrCat(kDefinitions, "/", name));
  if (Is(definition.status(), "NotFound")) return;
  absl::Status status = definition.status();
  if (status.ok()) status = EmptyDefinition(*definition);
  if (status.ok() || Is(status, "NotFound")) return;
  if (!Is(status, "Conflict")) log_.Warning("definition not deleted yet", status, {{"key", name}});
  Later("definition/" + name, [this, name] { ReconcileDefinition(name); });
}

absl::Status Housekeeper::EmptyDefinition(const Json& definition) {
  const std::string name = StringAt(definition, {"metadata", "name"});
  const kubeapi::ResourcePtr resource = registry_.FindStorage(name);
  const auto declared = kubeapi::MakeCustomResources(definition);
  if (resource == nullptr && declared.ok() && !declared->empty()) {
    // Another server's, and not yet heard of here: its objects must not be left behind.
    Later("definition/" + name, [this, name] { ReconcileDefinition(name); });
    return absl::OkStatus();
  }
  if (resource != nullptr) {
    const std::string path = CollectionPath(*resource, "");
    // A collection over all namespaces cannot be deleted at once in Kubernetes either: one by one.
    SKERRY_ASSIGN_OR_RETURN(const Json list, client_.Get(path));
    for (const Json& item : kubeapi::ArrayAt(list, {"items"})) {
      const std::string ns = StringAt(item, {"metadata", "namespace"});
      const absl::Status gone = client_
                                    .Delete(absl::StrCat(CollectionPath(*resource, ns), "/",
                                                         StringAt(item, {"metadata", "name"})))
                                    .status();
      if (!gone.ok() && !Is(gone, "NotFound")) return gone;
    }
    SKERRY_ASSIGN_OR_RETURN(const Json rest, client_.Get(path, {{"limit", "1"}}));
    if (!kubeapi::ArrayAt(rest, {"items"}).empty()) {
      Later("definition/" + name, [this, name] { ReconcileDefinition(name); });
      return absl::OkStatus();
    }
  }
  Json finalizers = Json::array();
  for (const Json& finalizer : kubeapi::ArrayAt(definition, {"metadata", "finalizers"})) {
    if (finalizer != kubeapi::kCleanupFinalizer) finalizers.push_back(finalizer);
  }
  return client_
      .MergePatch(absl::StrCat(kDefinitions, "/", name),
                  {{"metadata",
                    {{"finalizers", finalizers},
                     {"resourceVersion", StringAt(definition, {"metadata", "resourceVersion"})}}}})
      .status();
}

void Housekeeper::ExpireEvents(const std::string& from) {
  const absl::StatusOr<Json> page =
      client_.Get("/api/v1/events", {{"limit", kSweepPage}, {"continue", from}});
  absl::Status status = page.status();
  if (page.ok()) status = DeleteOld(kubeapi::ArrayAt(*page, {"items"}));
  if (!status.ok()) log_.Warning("old events not deleted", status);
  const std::string next = page.ok() ? StringAt(*page, {"metadata", "continue"}) : "";
  if (status.ok() && !next.empty()) {
    // Other chores have their turn between two pages.
    executor_.Post([this, next] { ExpireEvents(next); });
  } else {
    executor_.PostAfter(kSweep, [this] { ExpireEvents(""); });
  }
}

absl::Status Housekeeper::DeleteOld(const Json& events) {
  const absl::Time oldest = clock_.Now() - options_.event_ttl;
  for (const Json& event : events) {
    if (LastSeen(event) >= oldest) continue;
    const absl::Status gone =
        client_
            .Delete(absl::StrCat("/api/v1/namespaces/", StringAt(event, {"metadata", "namespace"}),
                                 "/events/", StringAt(event, {"metadata", "name"})))
            .status();
    if (!gone.ok() && !Is(gone, "NotFound")) return gone;
  }
  return absl::OkStatus();
}

}  // namespace skerry::standaloneapi
