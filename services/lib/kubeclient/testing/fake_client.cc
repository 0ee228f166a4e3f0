#include "services/lib/kubeclient/testing/fake_client.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeclient {
namespace {

// KubeEdge's CRDs state no subresource.
bool HasStatus(const Resource& resource) { return resource.group != "devices.kubeedge.io"; }

nlohmann::json SpecOf(const nlohmann::json& object) {
  const nlohmann::json* spec = kubeapi::FindPath(object, {"spec"});
  return spec == nullptr ? nlohmann::json() : *spec;
}

using kubeapi::StringAt;

std::string KeyOf(absl::string_view object_namespace, absl::string_view name) {
  return object_namespace.empty() ? std::string(name) : absl::StrCat(object_namespace, "/", name);
}

bool Matches(const KubeObject& object, absl::string_view object_namespace,
             absl::string_view field_selector) {
  if (!object_namespace.empty() && object.object_namespace() != object_namespace) return false;
  if (field_selector.empty()) return true;
  SKERRY_CHECK(field_selector == "spec.nodeName!=");
  return !StringAt(object.Json(), {"spec", "nodeName"}).empty();
}

int64_t Number(absl::string_view text) {
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

// metadata of a write against what is there.
absl::Status CheckPreconditions(const KubeObject& present, absl::string_view uid,
                                absl::string_view version) {
  if (!uid.empty() && uid != present.uid()) return absl::AbortedError("uid precondition failed");
  if (!version.empty() && version != present.resource_version()) {
    return absl::AbortedError("the object has been modified");
  }
  return absl::OkStatus();
}

}  // namespace

FakeClient::FakeClient() = default;
FakeClient::~FakeClient() = default;

absl::Status FakeClient::Enter(absl::string_view verb, const Resource& resource,
                               absl::string_view name) {
  std::function<absl::Status(absl::string_view, const Resource&, absl::string_view)> hook;
  {
    absl::MutexLock lock(&mutex_);
    ++calls_[std::string(verb)];
    hook = hook_;
  }
  return hook ? hook(verb, resource, name) : absl::OkStatus();
}

void FakeClient::SetHook(
    std::function<absl::Status(absl::string_view verb, const Resource& resource,
                               absl::string_view name)>
        hook) {
  absl::MutexLock lock(&mutex_);
  hook_ = std::move(hook);
}

int64_t FakeClient::calls(absl::string_view verb) const {
  absl::MutexLock lock(&mutex_);
  const auto it = calls_.find(std::string(verb));
  return it == calls_.end() ? 0 : it->second;
}

void FakeClient::BreakWatches(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  ++break_id_;
  break_status_ = status;
}

void FakeClient::Compact() {
  absl::MutexLock lock(&mutex_);
  history_.clear();
  compacted_ = version_;
}

KubeObject FakeClient::StoreLocked(const Resource& resource, nlohmann::json value,
                                   WatchEvent::Type type) {
  if (!HasStatus(resource)) {
    const absl::StatusOr<KubeObject> before = FindLocked(
        resource,
        KeyOf(StringAt(value, {"metadata", "namespace"}), StringAt(value, {"metadata", "name"})));
    const nlohmann::json old = before.ok() ? before->Json() : nlohmann::json::object();
    value["metadata"]["generation"] =
        kubeapi::IntAt(old, {"metadata", "generation"}) + (SpecOf(old) == SpecOf(value) ? 0 : 1);
  }
  value["metadata"]["resourceVersion"] = absl::StrCat(++version_);
  absl::StatusOr<KubeObject> object = KubeObject::FromJson(std::move(value));
  SKERRY_CHECK(object.ok());
  objects_[resource.plural].insert_or_assign(object->key(), *object);
  history_.push_back(
      {version_,
       resource.plural,
       {.type = type, .object = *object, .resource_version = object->resource_version()}});
  return *object;
}

void FakeClient::EraseLocked(const Resource& resource, const std::string& key) {
  const auto it = objects_[resource.plural].find(key);
  if (it == objects_[resource.plural].end()) return;
  nlohmann::json last = it->second.Json();
  last["metadata"]["resourceVersion"] = absl::StrCat(++version_);
  objects_[resource.plural].erase(it);
  history_.push_back({version_,
                      resource.plural,
                      {.type = WatchEvent::Type::kDeleted,
                       .object = *KubeObject::FromJson(std::move(last)),
                       .resource_version = absl::StrCat(version_)}});
}

absl::StatusOr<KubeObject> FakeClient::FindLocked(const Resource& resource,
                                                  const std::string& key) const {
  if (const auto objects = objects_.find(resource.plural); objects != objects_.end()) {
    const auto it = objects->second.find(key);
    if (it != objects->second.end()) return it->second;
  }
  return absl::NotFoundError(absl::StrCat(resource.plural, " \"", key, "\" not found"));
}

KubeObject FakeClient::Put(const Resource& resource, absl::string_view json) {
  nlohmann::json value = nlohmann::json::parse(std::string(json), nullptr, false);
  SKERRY_CHECK(value.is_object());
  absl::MutexLock lock(&mutex_);
  const absl::StatusOr<KubeObject> present = FindLocked(
      resource,
      KeyOf(StringAt(value, {"metadata", "namespace"}), StringAt(value, {"metadata", "name"})));
  if (StringAt(value, {"metadata", "uid"}).empty()) {
    value["metadata"]["uid"] = present.ok() ? present->uid() : absl::StrCat("uid-", next_uid_++);
  }
  return StoreLocked(resource, std::move(value),
                     present.ok() ? WatchEvent::Type::kModified : WatchEvent::Type::kAdded);
}

void FakeClient::Remove(const Resource& resource, absl::string_view object_namespace,
                        absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  EraseLocked(resource, KeyOf(object_namespace, name));
}

std::optional<KubeObject> FakeClient::Peek(const Resource& resource, absl::string_view key) const {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<KubeObject> object = FindLocked(resource, std::string(key));
  if (!object.ok()) return std::nullopt;
  return *object;
}

bool FakeClient::Await(const Resource& resource, absl::string_view key,
                       const std::function<bool(const std::optional<KubeObject>&)>& want,
                       absl::Duration limit) const {
  absl::MutexLock lock(&mutex_);
  const std::string wanted_key(key);
  const auto condition = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    absl::StatusOr<KubeObject> object = FindLocked(resource, wanted_key);
    return want(object.ok() ? std::optional<KubeObject>(*object) : std::nullopt);
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&condition), limit);
}

absl::StatusOr<KubeObject> FakeClient::Get(const Resource& resource,
                                           absl::string_view object_namespace,
                                           absl::string_view name, const CallOptions&) {
  SKERRY_RETURN_IF_ERROR(Enter("GET", resource, name));
  absl::MutexLock lock(&mutex_);
  return FindLocked(resource, KeyOf(object_namespace, name));
}

absl::StatusOr<ObjectList> FakeClient::List(const Resource& resource,
                                            absl::string_view object_namespace,
                                            const ListOptions& options) {
  SKERRY_RETURN_IF_ERROR(Enter("LIST", resource, ""));
  absl::MutexLock lock(&mutex_);
  ObjectList list;
  list.resource_version = absl::StrCat(version_);
  for (const auto& [key, object] : objects_[resource.plural]) {
    if (!options.continue_token.empty() && key <= options.continue_token) continue;
    if (!Matches(object, object_namespace, options.field_selector)) continue;
    if (options.limit > 0 && static_cast<int64_t>(list.items.size()) == options.limit) {
      list.continue_token = list.items.back().key();
      break;
    }
    list.items.push_back(object);
  }
  return list;
}

absl::StatusOr<KubeObject> FakeClient::Create(const Resource& resource,
                                              absl::string_view object_namespace,
                                              absl::string_view body, const CallOptions&) {
  nlohmann::json value = nlohmann::json::parse(std::string(body), nullptr, false);
  const std::string name = StringAt(value, {"metadata", "name"});
  SKERRY_RETURN_IF_ERROR(Enter("CREATE", resource, name));
  if (name.empty()) return absl::InvalidArgumentError("metadata.name is required");
  absl::MutexLock lock(&mutex_);
  if (!object_namespace.empty()) value["metadata"]["namespace"] = std::string(object_namespace);
  if (FindLocked(resource, KeyOf(object_namespace, name)).ok())
    return absl::AlreadyExistsError(name);
  value["metadata"]["uid"] = absl::StrCat("uid-", next_uid_++);
  return StoreLocked(resource, std::move(value), WatchEvent::Type::kAdded);
}

absl::StatusOr<KubeObject> FakeClient::Update(const Resource& resource,
                                              absl::string_view object_namespace,
                                              absl::string_view name, absl::string_view body,
                                              absl::string_view subresource, const CallOptions&) {
  SKERRY_RETURN_IF_ERROR(Enter("UPDATE", resource, name));
  nlohmann::json value = nlohmann::json::parse(std::string(body), nullptr, false);
  absl::MutexLock lock(&mutex_);
  SKERRY_ASSIGN_OR_RETURN(KubeObject present, FindLocked(resource, KeyOf(object_namespace, name)));
  SKERRY_RETURN_IF_ERROR(CheckPreconditions(present, StringAt(value, {"metadata", "uid"}),
                                            StringAt(value, {"metadata", "resourceVersion"})));
  nlohmann::json after = present.Json();
  if (subresource == "status") {
    after["status"] = value["status"];
  } else {
    value["metadata"]["uid"] = present.uid();
    if (after.contains("status") && HasStatus(resource)) value["status"] = after["status"];
    after = std::move(value);
  }
  return StoreLocked(resource, std::move(after), WatchEvent::Type::kModified);
}

absl::StatusOr<KubeObject> FakeClient::Patch(const Resource& resource,
                                             absl::string_view object_namespace,
                                             absl::string_view name, PatchType type,
                                             absl::string_view patch_text,
                                             const PatchOptions& options) {
  SKERRY_CHECK(type == PatchType::kMerge);
  SKERRY_RETURN_IF_ERROR(Enter("PATCH", resource, name));
  const nlohmann::json patch = nlohmann::json::parse(std::string(patch_text), nullptr, false);
  if (!patch.is_object()) return absl::InvalidArgumentError("the patch is not a JSON object");
  absl::MutexLock lock(&mutex_);
  SKERRY_ASSIGN_OR_RETURN(KubeObject present, FindLocked(resource, KeyOf(object_namespace, name)));
  SKERRY_RETURN_IF_ERROR(CheckPreconditions(present, StringAt(patch, {"metadata", "uid"}),
                                            StringAt(patch, {"metadata", "resourceVersion"})));
  const nlohmann::json before = present.Json();
  nlohmann::json after = before;
  after.merge_patch(patch);
  if (options.subresource == "status") {
    nlohmann::json status = kubeapi::ObjectAt(after, {"status"});
    after = before;
    after["status"] = std::move(status);
  } else if (before.contains("status") && HasStatus(resource)) {
    after["status"] = before["status"];
  }
  if (after == before) return present;
  return StoreLocked(resource, std::move(after), WatchEvent::Type::kModified);
}

absl::Status FakeClient::Delete(const Resource& resource, absl::string_view object_namespace,
                                absl::string_view name, const DeleteOptions& options) {
  SKERRY_RETURN_IF_ERROR(Enter("DELETE", resource, name));
  absl::MutexLock lock(&mutex_);
  const std::string key = KeyOf(object_namespace, name);
  SKERRY_ASSIGN_OR_RETURN(KubeObject present, FindLocked(resource, key));
  SKERRY_RETURN_IF_ERROR(CheckPreconditions(present, options.uid, options.resource_version));
  nlohmann::json value = present.Json();
  const bool graceful = resource.plural == "pods" &&
                        !StringAt(value, {"spec", "nodeName"}).empty() &&
                        options.grace_period_seconds.value_or(30) > 0;
  if (!graceful) {
    EraseLocked(resource, key);
    return absl::OkStatus();
  }
  value["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  value["metadata"]["deletionGracePeriodSeconds"] = options.grace_period_seconds.value_or(30);
  StoreLocked(resource, std::move(value), WatchEvent::Type::kModified);
  return absl::OkStatus();
}

absl::Status FakeClient::Watch(const Resource& resource, absl::string_view object_namespace,
                               const WatchOptions& options,
                               const std::function<void(WatchEvent event)>& on_event) {
  SKERRY_RETURN_IF_ERROR(Enter("WATCH", resource, ""));
  int64_t seen = Number(options.resource_version);
  std::stop_callback wake(options.stop, [this] { absl::MutexLock lock(&mutex_); });
  int64_t break_id = 0;
  {
    absl::MutexLock lock(&mutex_);
    break_id = break_id_;
  }
  while (true) {
    std::vector<WatchEvent> events;
    {
      absl::MutexLock lock(&mutex_);
      const auto due = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return options.stop.stop_requested() || break_id != break_id_ || version_ > seen;
      };
      mutex_.Await(absl::Condition(&due));
      if (options.stop.stop_requested()) return absl::CancelledError("stopping");
      if (break_id != break_id_) return break_status_;
      if (seen < compacted_) return absl::OutOfRangeError("too old resource version");
      for (const Change& change : history_) {
        if (change.version <= seen || change.resource != resource.plural) continue;
        if (!Matches(*change.event.object, object_namespace, options.field_selector)) continue;
        events.push_back(change.event);
      }
      seen = version_;
    }
    for (WatchEvent& event : events) on_event(std::move(event));
  }
}

absl::StatusOr<std::string> FakeClient::GetRaw(absl::string_view path, const CallOptions&) {
  SKERRY_RETURN_IF_ERROR(Enter("GET", Resource{}, path));
  return std::string("ok");
}

}  // namespace skerry::kubeclient
