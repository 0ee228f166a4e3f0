#include "services/edged-svc/core/pulled_images.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/core/image_name.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

// A line is "<id> <name>\n".
size_t LineBytes(const std::string& id, const std::string& name) {
  return id.size() + name.size() + 2;
}

// Of a name in full: without tag or digest.
absl::string_view Repository(absl::string_view name) {
  const size_t at = name.find('@');
  return at != absl::string_view::npos ? name.substr(0, at) : name.substr(0, name.rfind(':'));
}

}  // namespace

absl::StatusOr<PulledImages> PulledImages::Parse(absl::string_view text) {
  PulledImages out;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    ++number;
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    if (parts.size() != 2 || !absl::StartsWith(parts[0], "sha256:") ||
        !CheckImageName(parts[1]).ok() || !out.Add(parts[0], parts[1], {}).ok()) {
      return Error(
                 absl::StatusCode::kInvalidArgument,
                 absl::StrCat("line ", number,
                              " is no \"<id> <name>\" of an image, or is one too many: remove the "
                              "file, and images that are there now are left alone"))
          .Reason("PULLED_IMAGES_INVALID");
    }
  }
  return out;
}

std::string PulledImages::Format() const {
  std::string out;
  out.reserve(bytes_);
  for (const auto& [id, record] : records_) {
    for (const std::string& name : record.names) absl::StrAppend(&out, id, " ", name, "\n");
  }
  return out;
}

absl::StatusOr<bool> PulledImages::Add(const std::string& id, const std::string& name,
                                       const std::set<std::string>& before) {
  const auto known = records_.find(id);
  if (known == records_.end() && before.contains(id)) return false;
  const bool has = known != records_.end() && known->second.names.contains(name);
  if (!has && bytes_ + LineBytes(id, name) > kBytesMax) {
    return Error(absl::StatusCode::kResourceExhausted,
                 "too many images were pulled to remember this one: it stays until somebody "
                 "removes it")
        .Reason("TOO_MANY_PULLED_IMAGES");
  }
  Record& record = records_[id];
  record.generation = ++generation_;
  if (!has) bytes_ += LineBytes(id, name);
  return record.names.insert(name).second;
}

bool PulledImages::Retain(const std::set<std::string>& ids, uint64_t generation) {
  const size_t forgotten = std::erase_if(records_, [&](const auto& entry) {
    if (entry.second.generation > generation || ids.contains(entry.first)) return false;
    for (const std::string& name : entry.second.names) bytes_ -= LineBytes(entry.first, name);
    return true;
  });
  return forgotten > 0;
}

bool PulledImages::Owns(const std::string& id, const std::set<std::string>& names) const {
  const auto record = records_.find(id);
  if (record == records_.end()) return false;
  const std::set<std::string>& pulled = record->second.names;
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    // Docker notes the digest of every pull: that of a repository of ours says no more.
    if (!absl::StrContains(name, '@')) return pulled.contains(name);
    return std::any_of(pulled.begin(), pulled.end(),
                       [&](const std::string& own) { return Repository(own) == Repository(name); });
  });
}

}  // namespace skerry::edged
