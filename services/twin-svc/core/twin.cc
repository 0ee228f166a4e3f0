#include "services/twin-svc/core/twin.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::twin {
namespace {

using Kind = Change::Kind;

bool SameContent(const Held<Value>& a, const Held<Value>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->value == b->value && a->metadata == b->metadata;
}

// Of desired values, which were `before`.
void NoteDesired(const std::string& name, const Held<Value>& before, Twin& twin, Changes& changes) {
  Property& property = twin.properties[name];
  if (SameContent(before, property.desired())) return;
  property.desired_version = ++twin.version;
  changes.push_back({Kind::kDesired, name});
}

void DeclareOne(const std::string& name, const Declared& declared, Twin& twin, Changes& changes) {
  Property& property = twin.properties[name];
  property.declared = true;
  const Held<Value> desired = declared.desired;
  if (SameContent(property.cloud, desired)) return;
  const Held<Value> before = property.desired();
  property.cloud = desired;
  if (property.local.has_value()) {
    if (!declared.desired.has_value() || declared.desired->value != property.local->value) {
      property.conflict = Conflict{*property.local, declared.desired, twin.generation};
      changes.push_back({Kind::kConflict, name});
    }
    property.local.reset();
  }
  NoteDesired(name, before, twin, changes);
}

absl::Status CheckVersions(const Twin& twin, const Write& write) {
  for (const auto& [name, expected] : write.expected_versions) {
    const auto it = twin.properties.find(name);
    static const Property kNone;
    const Property& property = it == twin.properties.end() ? kNone : it->second;
    if (property.desired_version == expected) continue;
    const Held<Value>& current = property.desired();
    const auto refused = write.desired.find(name);
    return Error(absl::StatusCode::kAborted,
                 absl::StrCat("property ", name, ": the desired value has version ",
                              property.desired_version, ", not ", expected,
                              ": read it and decide again"))
        .Reason("DESIRED_CHANGED")
        .Meta("property", name)
        .Meta("version", absl::StrCat(property.desired_version))
        .Meta("value", current.has_value() ? current->value : "")
        .Meta("writer", current.has_value() ? current->writer : "")
        .Meta("refused_value", refused != write.desired.end() && refused->second.has_value()
                                   ? refused->second->value
                                   : "");
  }
  return absl::OkStatus();
}

size_t BytesOf(const Value& value) {
  size_t bytes = value.value.size() + value.writer.size();
  for (const auto& [key, text] : value.metadata) bytes += key.size() + text.size();
  return bytes;
}

size_t BytesOf(const Held<Value>& value) { return value.has_value() ? BytesOf(*value) : 0; }

// What a write would leave, if nothing of the twin were replaced: the bound need not be exact.
absl::Status CheckBytes(const Twin& twin, const Write& write) {
  size_t held = 0;
  for (const auto& [name, property] : twin.properties) {
    if (write.remove.count(name) != 0) continue;
    if (write.reported.count(name) == 0) held += BytesOf(property.reported);
    if (write.desired.count(name) == 0) held += BytesOf(property.local);
  }
  size_t added = 0;
  for (const auto& [name, value] : write.reported) added += name.size() + BytesOf(value);
  for (const auto& [name, value] : write.desired) {
    added += name.size() + (value.has_value() ? BytesOf(*value) : 0);
  }
  if (held + added <= Twin::kBytesMax) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("the twin has ", held, " bytes of values, ", added,
                            " more would be too much, ", Twin::kBytesMax,
                            " is the most: write smaller ones"))
      .Reason("TWIN_FULL");
}

absl::Status CheckRemovals(const Twin& twin, const Write& write) {
  for (const std::string& name : write.remove) {
    const auto it = twin.properties.find(name);
    if (it == twin.properties.end() || !it->second.declared) continue;
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("property ", name,
                              " is declared by the Device and goes when that declares it no more"))
        .Reason("PROPERTY_DECLARED")
        .Meta("property", name);
  }
  return absl::OkStatus();
}

// Whoever removes properties and adds others has room for these in the next write.
absl::Status CheckRoom(const Twin& twin, const Write& write) {
  size_t added = 0;
  for (const auto& [name, value] : write.reported) added += twin.properties.count(name) == 0;
  for (const auto& [name, value] : write.desired) {
    added += twin.properties.count(name) == 0 && write.reported.count(name) == 0;
  }
  if (twin.properties.size() + added <= Twin::kPropertiesMax) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("the twin has ", twin.properties.size(), " properties, ", added,
                            " would be added, ", Twin::kPropertiesMax,
                            " is the most: remove some that no Device declares"))
      .Reason("TWIN_FULL");
}

void WriteDesired(const std::string& name, const std::optional<Value>& value, Twin& twin,
                  Changes& changes) {
  if (!value.has_value() && twin.properties.count(name) == 0) return;
  Property& property = twin.properties[name];
  if (property.conflict.has_value()) {
    property.conflict.reset();
    changes.push_back({Kind::kConflict, name});
  }
  // The same again is no other value: it stays whose it was.
  if (value.has_value() && SameContent(property.local, value)) return;
  const Held<Value> before = property.desired();
  property.local = value;
  // The same as the cloud's is no writing against it: the next declaration is no conflict.
  if (value.has_value() && SameContent(property.local, property.cloud)) property.local.reset();
  NoteDesired(name, before, twin, changes);
}

}  // namespace

Changes Declare(Twin& twin, const Declaration& device) {
  Changes changes;
  const bool anew = twin.uid != device.uid;
  if (!anew && device.generation <= twin.generation) return changes;
  twin.uid = device.uid;
  twin.generation = device.generation;
  // Ids of writes outlive the device: one that was committed before it was made anew, and is sent
  // again, would otherwise come behind those that were written since (D1).
  if (anew) twin.state = {};
  for (auto it = twin.properties.begin(); it != twin.properties.end();) {
    // What MQTT clients made stays as long as the device is the same.
    if (!anew && (!it->second.declared || device.properties.count(it->first) != 0)) {
      ++it;
      continue;
    }
    ++twin.version;
    changes.push_back({Kind::kRemoved, it->first});
    it = twin.properties.erase(it);
  }
  for (const auto& [name, declared] : device.properties) DeclareOne(name, declared, twin, changes);
  return changes;
}

absl::StatusOr<Changes> Apply(Twin& twin, const Write& write) {
  Changes changes;
  if (write.id != 0 &&
      std::find(twin.write_ids.begin(), twin.write_ids.end(), write.id) != twin.write_ids.end()) {
    return changes;
  }
  SKERRY_RETURN_IF_ERROR(CheckVersions(twin, write));
  SKERRY_RETURN_IF_ERROR(CheckRemovals(twin, write));
  SKERRY_RETURN_IF_ERROR(CheckRoom(twin, write));
  SKERRY_RETURN_IF_ERROR(CheckBytes(twin, write));
  for (const std::string& name : write.remove) {
    if (twin.properties.erase(name) == 0) continue;
    ++twin.version;
    changes.push_back({Kind::kRemoved, name});
  }
  for (const auto& [name, value] : write.desired) WriteDesired(name, value, twin, changes);
  for (const auto& [name, value] : write.reported) {
    Property& property = twin.properties[name];
    property.reported = value;
    property.reported_version = ++twin.version;
    changes.push_back({Kind::kReported, name});
  }
  if (write.state.has_value() && ReportState(twin.state, *write.state)) {
    ++twin.version;
    changes.push_back({Kind::kState, ""});
  }
  if (write.id != 0) {
    if (twin.write_ids.size() == Twin::kWriteIdsMax) twin.write_ids.erase(twin.write_ids.begin());
    twin.write_ids.push_back(write.id);
  }
  return changes;
}

}  // namespace skerry::twin
