#include "services/lib/kubeapi/patch.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {
namespace {

constexpr absl::string_view kSetOrder = "$setElementOrder/";
constexpr absl::string_view kDeleteList = "$deleteFromPrimitiveList/";
constexpr char kPatch[] = "$patch";
constexpr char kRetainKeys[] = "$retainKeys";

absl::Status BadPatch(absl::string_view why) {
  return BadRequestError(absl::StrCat("error in patch: ", why));
}

// --- JSON patch ---

size_t CopiedBytes(const Json& document, const Json& operation) {
  if (StringAt(operation, {"op"}) != "copy") return 0;
  try {
    return DumpJson(document.at(Json::json_pointer(StringAt(operation, {"from"})))).size();
  } catch (const Json::exception&) {
    return 0;  // The operation itself will be refused.
  }
}

absl::Status ApplyOperation(Json& document, const Json& operation) {
  try {
    document = document.patch(Json::array({operation}));
    return absl::OkStatus();
  } catch (const Json::other_error& e) {  // An unsuccessful test.
    return ApiError(422, "Invalid",
                    absl::StrCat("the server rejected our request due to an error in our request: "
                                 "testing value ",
                                 StringAt(operation, {"path"}), " failed"));
  } catch (const Json::parse_error& e) {
    return BadPatch(e.what());
  } catch (const Json::exception& e) {
    return ApiError(
        422, "Invalid",
        absl::StrCat("the server rejected our request due to an error in our request: ",
                     StringAt(operation, {"op"}), " operation does not apply: ", e.what()));
  }
}

// --- strategic merge ---

bool IsDirective(absl::string_view name) {
  return name == kPatch || name == kRetainKeys || absl::StartsWith(name, kSetOrder) ||
         absl::StartsWith(name, kDeleteList);
}

// What an absent object becomes when it is patched: the patch without directives and nulls.
Json WithoutDirectives(const Json& patch) {
  if (patch.is_array()) {
    Json out = Json::array();
    for (const Json& item : patch) {
      if (item.is_object() && item.contains(kPatch)) continue;
      out.push_back(WithoutDirectives(item));
    }
    return out;
  }
  if (!patch.is_object()) return patch;
  Json out = Json::object();
  for (const auto& [name, value] : patch.items()) {
    if (!IsDirective(name) && !value.is_null()) out[name] = WithoutDirectives(value);
  }
  return out;
}

// The identity of a list item: its merge key's value, or itself for a scalar.
std::string KeyOf(const Json& item, const std::string& merge_key) {
  if (merge_key.empty() || !item.is_object()) return DumpJson(item);
  const auto member = item.find(merge_key);
  return member == item.end() ? std::string() : DumpJson(*member);
}

std::map<std::string, size_t> Positions(const Json& list, const std::string& merge_key) {
  std::map<std::string, size_t> positions;
  for (size_t i = 0; i < list.size(); ++i) positions.emplace(KeyOf(list[i], merge_key), i);
  return positions;
}

// Items named in `wanted` in its order; the others keep their places relative to them as in `live`.
Json Reorder(const Json& merged, const Json& wanted, const Json& live,
             const std::string& merge_key) {
  const std::map<std::string, size_t> order = Positions(wanted, merge_key);
  const std::map<std::string, size_t> before = Positions(live, merge_key);
  std::vector<Json> named;
  std::vector<Json> others;
  for (const Json& item : merged) {
    (order.count(KeyOf(item, merge_key)) != 0 ? named : others).push_back(item);
  }
  std::stable_sort(named.begin(), named.end(), [&](const Json& a, const Json& b) {
    return order.at(KeyOf(a, merge_key)) < order.at(KeyOf(b, merge_key));
  });
  std::stable_sort(others.begin(), others.end(), [&](const Json& a, const Json& b) {
    const auto position = [&](const Json& item) {
      const auto at = before.find(KeyOf(item, merge_key));
      return at == before.end() ? before.size() : at->second;
    };
    return position(a) < position(b);
  });
  Json out = Json::array();
  size_t i = 0;
  size_t j = 0;
  while (i < named.size() || j < others.size()) {
    bool take_named = j >= others.size();
    if (i < named.size() && j < others.size()) {
      const auto left = before.find(KeyOf(named[i], merge_key));
      const auto right = before.find(KeyOf(others[j], merge_key));
      take_named = left != before.end() && right != before.end() && left->second < right->second;
    }
    out.push_back(take_named ? std::move(named[i++]) : std::move(others[j++]));
  }
  return out;
}

class StrategicMerge {
 public:
  absl::Status Object(const Schema& schema, Json& object, const Json& patch) {
    const std::string directive = StringAt(patch, {kPatch});
    if (patch.contains(kPatch) && directive != "replace" && directive != "merge" &&
        directive != "delete") {
      return BadPatch(absl::StrCat("unknown value of $patch: ", DumpJson(patch[kPatch])));
    }
    if (directive == "replace") {
      object = WithoutDirectives(patch);
      return absl::OkStatus();
    }
    if (directive == "delete") {
      object = Json::object();
      return absl::OkStatus();
    }
    SKERRY_RETURN_IF_ERROR(RetainKeys(object, patch));
    for (const auto& [name, value] : patch.items()) {
      if (absl::StartsWith(name, kDeleteList)) {
        SKERRY_RETURN_IF_ERROR(DeleteScalars(object, name.substr(kDeleteList.size()), value));
      }
    }
    const Json live = object;  // For the order of lists.
    for (const auto& [name, value] : patch.items()) {
      if (!IsDirective(name)) SKERRY_RETURN_IF_ERROR(Member(schema, object, name, value));
    }
    for (const auto& [name, value] : patch.items()) {
      if (!absl::StartsWith(name, kSetOrder)) continue;
      const std::string list = name.substr(kSetOrder.size());
      if (!value.is_array()) return BadPatch(absl::StrCat(name, " must be a list"));
      const auto member = object.find(list);
      if (member == object.end() || !member->is_array()) continue;
      const Schema* type = TypeOf(schema, list);
      *member =
          Reorder(*member, value, ArrayAt(live, {list}), type != nullptr ? type->merge_key : "");
    }
    return absl::OkStatus();
  }

 private:
  static const Schema* TypeOf(const Schema& schema, const std::string& name) {
    const auto known = schema.properties.find(name);
    return known != schema.properties.end() ? known->second.get() : schema.additional.get();
  }

  absl::Status RetainKeys(Json& object, const Json& patch) {
    const auto keys = patch.find(kRetainKeys);
    if (keys == patch.end()) return absl::OkStatus();
    if (!keys->is_array()) return BadPatch("$retainKeys must be a list");
    for (auto member = object.begin(); member != object.end();) {
      const bool kept = std::find(keys->begin(), keys->end(), Json(member.key())) != keys->end();
      member = kept ? std::next(member) : object.erase(member);
    }
    return absl::OkStatus();
  }

  absl::Status DeleteScalars(Json& object, const std::string& name, const Json& values) {
    if (!values.is_array()) return BadPatch("$deleteFromPrimitiveList must be a list");
    const auto member = object.find(name);
    if (member == object.end() || !member->is_array()) return absl::OkStatus();
    Json kept = Json::array();
    for (const Json& item : *member) {
      if (std::find(values.begin(), values.end(), item) == values.end()) kept.push_back(item);
    }
    *member = std::move(kept);
    return absl::OkStatus();
  }

  absl::Status Member(const Schema& schema, Json& object, const std::string& name,
                      const Json& value) {
    if (value.is_null()) {
      object.erase(name);
      return absl::OkStatus();
    }
    const auto member = object.find(name);
    if (member == object.end() || member->type() != value.type() || !value.is_structured()) {
      object[name] = WithoutDirectives(value);
      return absl::OkStatus();
    }
    static const Schema& untyped = *new Schema();
    const Schema* type = TypeOf(schema, name);
    if (type == nullptr) type = &untyped;
    if (value.is_object()) return Object(*type, *member, value);
    if (type->merge_set) {
      for (const Json& item : value) {
        if (std::find(member->begin(), member->end(), item) == member->end())
          member->push_back(item);
      }
      return absl::OkStatus();
    }
    if (!type->merge_key.empty()) return List(*type, *member, value);
    *member = WithoutDirectives(value);
    return absl::OkStatus();
  }

  absl::Status List(const Schema& schema, Json& list, const Json& patch) {
    const std::string& key = schema.merge_key;
    static const Schema& untyped = *new Schema();
    const Schema& item_schema = schema.items != nullptr ? *schema.items : untyped;
    bool replace = false;
    for (const Json& item : patch) {
      if (!item.is_object())
        return BadPatch(absl::StrCat("an item of a list merged by ", key, " must be an object"));
      if (StringAt(item, {kPatch}) == "replace") replace = true;
      if (!item.contains(key) && StringAt(item, {kPatch}) != "replace") {
        return BadPatch(
            absl::StrCat("map: ", DumpJson(item), " does not contain declared merge key: ", key));
      }
    }
    if (replace) {
      list = WithoutDirectives(patch);
      return absl::OkStatus();
    }
    const Json live = list;
    std::set<std::string> deleted;
    Json kept_patch = Json::array();
    for (const Json& item : patch) {
      if (StringAt(item, {kPatch}) == "delete") {
        deleted.insert(KeyOf(item, key));
      } else {
        kept_patch.push_back(item);
      }
    }
    Json merged = Json::array();
    for (const Json& item : list) {
      if (deleted.count(KeyOf(item, key)) == 0) merged.push_back(item);
    }
    std::map<std::string, size_t> positions = Positions(merged, key);
    for (const Json& item : kept_patch) {
      const auto at = positions.find(KeyOf(item, key));
      if (at != positions.end()) {
        SKERRY_RETURN_IF_ERROR(Object(item_schema, merged[at->second], item));
      } else {
        positions.emplace(KeyOf(item, key), merged.size());
        merged.push_back(WithoutDirectives(item));
      }
    }
    list = Reorder(merged, kept_patch, live, key);
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<Json> ApplyJsonPatch(const Json& object, const Json& patch) {
  if (!patch.is_array()) return BadPatch("a JSON patch is a list of operations");
  if (patch.size() > kPatchOperationsMax) {
    return ApiError(
        413, "RequestEntityTooLarge",
        absl::StrCat("The allowed maximum operations in a JSON patch is ", kPatchOperationsMax));
  }
  Json document = object;
  size_t copied = 0;
  for (const Json& operation : patch) {
    if (!operation.is_object()) return BadPatch("an operation must be an object");
    copied += CopiedBytes(document, operation);
    if (copied > kPatchCopyBytesMax) return BadPatch("the copy operations copy too much");
    SKERRY_RETURN_IF_ERROR(ApplyOperation(document, operation));
  }
  if (!document.is_object()) return BadPatch("the result is not an object");
  return document;
}

absl::StatusOr<Json> ApplyMergePatch(const Json& object, const Json& patch) {
  if (!patch.is_object()) return BadPatch("a merge patch is an object");
  Json document = object;
  document.merge_patch(patch);
  return document;
}

absl::StatusOr<Json> ApplyStrategicMergePatch(const Schema& schema, const Json& object,
                                              const Json& patch) {
  if (!patch.is_object()) return BadPatch("a strategic merge patch is an object");
  Json document = object;
  SKERRY_RETURN_IF_ERROR(StrategicMerge().Object(schema, document, patch));
  return document;
}

}  // namespace skerry::kubeapi
