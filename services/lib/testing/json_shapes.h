// Documents of every wrong shape, for tests of what reads JSON that nobody has checked.
#ifndef SKERRY_SERVICES_LIB_TESTING_JSON_SHAPES_H_
#define SKERRY_SERVICES_LIB_TESTING_JSON_SHAPES_H_

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace skerry::testing {

// Calls `visit` with copies of `document` in which one value, the whole document included, is
// another one: of every kind that nlohmann::json has, at the ends of numbers, empty and nested.
// Each value has its turn with each of them; `path` is the JSON pointer of the one that was
// changed. Returns how many values there are.
size_t ForEachShape(
    const nlohmann::json& document,
    const std::function<void(const nlohmann::json& changed, const std::string& path)>& visit);

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_TESTING_JSON_SHAPES_H_
