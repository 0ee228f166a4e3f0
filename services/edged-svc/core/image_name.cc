#include "services/edged-svc/core/image_name.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

bool IsAlnumLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Lower-case letters and digits, parted by one of . _ __ or dashes.
bool IsPathPart(absl::string_view part) {
  if (part.empty() || !IsAlnumLower(part.front()) || !IsAlnumLower(part.back())) return false;
  for (size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (IsAlnumLower(c) || c == '-') continue;
    if (c == '.' && IsAlnumLower(part[i - 1]) && IsAlnumLower(part[i + 1])) continue;
    if (c == '_') {
      const char before = part[i - 1], after = part[i + 1];
      if ((IsAlnumLower(before) && IsAlnumLower(after)) ||
          (before == '_' && IsAlnumLower(part[i - 2]) && IsAlnumLower(after)) ||
          (after == '_' && IsAlnumLower(before)))
        continue;
    }
    return false;
  }
  return true;
}

bool IsHost(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
}

bool IsTag(absl::string_view tag) {
  if (tag.empty() || tag.size() > 128 || tag[0] == '.' || tag[0] == '-') return false;
  return std::all_of(tag.begin(), tag.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  });
}

bool IsDigest(absl::string_view digest) {
  const size_t colon = digest.find(':');
  if (colon == absl::string_view::npos || colon == 0 || digest.size() - colon - 1 < 32)
    return false;
  return std::all_of(digest.begin() + static_cast<std::ptrdiff_t>(colon) + 1, digest.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0; });
}

bool LooksLikeHost(absl::string_view first) {
  return absl::StrContains(first, ".") || absl::StrContains(first, ":") || first == "localhost";
}

bool IsReference(absl::string_view image) {
  if (image.empty() || image.size() > 4096) return false;
  if (const size_t at = image.find('@'); at != absl::string_view::npos) {
    if (!IsDigest(image.substr(at + 1))) return false;
    image = image.substr(0, at);
  }
  const size_t slash = image.rfind('/');
  const size_t colon = image.rfind(':');
  if (colon != absl::string_view::npos && (slash == absl::string_view::npos || colon > slash)) {
    if (!IsTag(image.substr(colon + 1))) return false;
    image = image.substr(0, colon);
  }
  std::vector<absl::string_view> parts = absl::StrSplit(image, '/');
  if (parts.size() > 1 && LooksLikeHost(parts.front())) {
    if (!IsHost(parts.front())) return false;
    parts.erase(parts.begin());
  }
  return std::all_of(parts.begin(), parts.end(), IsPathPart);
}

}  // namespace

absl::Status CheckImageName(absl::string_view image) {
  if (IsReference(image)) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("Failed to apply default image tag \"", image.substr(0, 256),
                            "\": couldn't parse image name \"", image.substr(0, 256),
                            "\": invalid reference format"))
      .Reason("IMAGE_NAME_INVALID");
}

std::string RegistryOf(absl::string_view image) {
  const size_t slash = image.find('/');
  if (slash == absl::string_view::npos || !LooksLikeHost(image.substr(0, slash)))
    return "docker.io";
  return std::string(image.substr(0, slash));
}

std::string FullImageName(absl::string_view image) {
  const size_t at = std::min(image.find('@'), image.size());
  absl::string_view name = image.substr(0, at), digest = image.substr(at);
  const size_t colon = name.rfind(':'), slash = name.rfind('/');
  const bool tagged =
      colon != absl::string_view::npos && (slash == absl::string_view::npos || colon > slash);
  const absl::string_view path = tagged ? name.substr(0, colon) : name;
  const absl::string_view tag = tagged ? name.substr(colon) : absl::string_view(":latest");
  const std::string registry = RegistryOf(name);
  const bool named = absl::StartsWith(name, registry + "/");
  const bool official = registry == "docker.io" &&
                        !absl::StrContains(named ? path.substr(registry.size() + 1) : path, "/");
  return absl::StrCat(registry, "/", official ? "library/" : "",
                      named ? path.substr(registry.size() + 1) : path,
                      digest.empty() ? tag : digest);
}

}  // namespace skerry::edged
