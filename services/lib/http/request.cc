#include "services/lib/http/server.h"

namespace skerry::http {

std::optional<std::string> Request::Query(absl::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Request::Header(absl::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string() : found->second;
}

}  // namespace skerry::http
