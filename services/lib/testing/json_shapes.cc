#include "services/lib/testing/json_shapes.h"

#include <vector>

namespace skerry::testing {
namespace {

using nlohmann::json;

std::vector<json> Kinds() {
  return {nullptr,
          true,
          -1,
          18446744073709551615u,
          1.5,
          1e300,
          "",
          "text",
          json::array(),
          json::array({nullptr}),
          json::array({json::array()}),
          json::object(),
          {{"name", 3}},
          {{"", nullptr}},
          json::binary({1, 2}),
          json(json::value_t::discarded)};
}

void AddPaths(const json& value, const json::json_pointer& at,
              std::vector<json::json_pointer>& out) {
  out.push_back(at);
  if (!value.is_structured()) return;
  for (const auto& [key, child] : value.items())
    AddPaths(child, value.is_array() ? at / std::stoul(key) : at / key, out);
}

}  // namespace

size_t ForEachShape(const json& document,
                    const std::function<void(const json&, const std::string&)>& visit) {
  std::vector<json::json_pointer> paths;
  AddPaths(document, json::json_pointer(), paths);
  const std::vector<json> kinds = Kinds();
  for (const json::json_pointer& path : paths) {
    for (const json& kind : kinds) {
      json changed = document;
      changed[path] = kind;
      visit(changed, path.to_string());
    }
  }
  return paths.size();
}

}  // namespace skerry::testing
