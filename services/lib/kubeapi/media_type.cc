#include "services/lib/kubeapi/media_type.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace skerry::kubeapi {

std::vector<MediaType> ParseMediaTypes(absl::string_view header) {
  std::vector<std::pair<double, MediaType>> found;
  for (const absl::string_view clause : absl::StrSplit(header, ',', absl::SkipWhitespace())) {
    MediaType media;
    double quality = 1;
    for (const absl::string_view part : absl::StrSplit(clause, ';', absl::SkipWhitespace())) {
      const absl::string_view text = absl::StripAsciiWhitespace(part);
      if (media.type.empty()) {
        media.type = absl::AsciiStrToLower(text);
        continue;
      }
      const std::pair<std::string, std::string> parameter =
          absl::StrSplit(text, absl::MaxSplits('=', 1));
      if (parameter.first == "q" && !absl::SimpleAtod(parameter.second, &quality)) quality = 1;
      media.parameters[absl::AsciiStrToLower(parameter.first)] = parameter.second;
    }
    if (!media.type.empty()) found.emplace_back(quality, std::move(media));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<MediaType> types;
  for (auto& [quality, media] : found) types.push_back(std::move(media));
  return types;
}

std::optional<ObjectForm> NegotiateForm(absl::string_view accept) {
  const std::vector<MediaType> types = ParseMediaTypes(accept);
  if (types.empty()) return ObjectForm::kObject;
  const auto parameter = [](const MediaType& media, const char* name) {
    const auto at = media.parameters.find(name);
    return at == media.parameters.end() ? std::string() : at->second;
  };
  for (const MediaType& media : types) {
    if (media.type != "application/json" && media.type != "*/*" && media.type != "application/*")
      continue;
    const std::string as = parameter(media, "as");
    if (as.empty()) return ObjectForm::kObject;
    if (parameter(media, "g") != "meta.k8s.io" || parameter(media, "v") != "v1") continue;
    if (as == "Table") return ObjectForm::kTable;
    if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList")
      return ObjectForm::kPartialMetadata;
  }
  return std::nullopt;
}

}  // namespace skerry::kubeapi
