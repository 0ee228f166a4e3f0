#include "services/edged-svc/core/pull_auth.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/edged-svc/core/image_name.h"
#include "services/edged-svc/core/json_reader.h"

namespace skerry::edged {
namespace {

// "https://index.docker.io/v1/" to "docker.io"; a path is kept: "registry.example/team".
std::string Normalize(absl::string_view server) {
  if (!absl::ConsumePrefix(&server, "https://")) absl::ConsumePrefix(&server, "http://");
  for (absl::string_view suffix : {"/v1/", "/v2/", "/v1", "/v2", "/"})
    absl::ConsumeSuffix(&server, suffix);
  if (server == "index.docker.io" || server == "registry-1.docker.io") return "docker.io";
  return std::string(server);
}

}  // namespace

std::vector<RegistryAuth> PullAuths(const KeyedData& secret, absl::string_view image) {
  const auto config = secret.text.find(".dockerconfigjson");
  const auto legacy = secret.text.find(".dockercfg");
  if (config == secret.text.end() && legacy == secret.text.end()) return {};
  const std::string& text = config != secret.text.end() ? config->second : legacy->second;
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return {};
  absl::Status ignored;
  const JsonReader root(&document, "", &ignored);
  const nlohmann::json* auths = config != secret.text.end() ? root.Find("auths") : &document;
  if (auths == nullptr || !auths->is_object()) return {};
  const std::string host = RegistryOf(image);
  const std::string full = absl::StrContains(image.substr(0, image.find('/')), host)
                               ? std::string(image)
                               : absl::StrCat(host, "/", image);
  std::vector<std::pair<size_t, RegistryAuth>> found;
  for (auto it = auths->begin(); it != auths->end(); ++it) {
    const std::string server = Normalize(it.key());
    if (full != server && !absl::StartsWith(full, server + "/")) continue;
    const JsonReader entry(&*it, "", &ignored);
    RegistryAuth auth{entry.Str("username"), entry.Str("password"), entry.Str("identitytoken"),
                      it.key()};
    std::string decoded;
    if (auth.username.empty() && absl::Base64Unescape(entry.Str("auth"), &decoded)) {
      const size_t colon = decoded.find(':');
      if (colon != std::string::npos) {
        auth.username = decoded.substr(0, colon);
        auth.password = decoded.substr(colon + 1);
      }
    }
    found.emplace_back(server.size(), std::move(auth));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<RegistryAuth> out;
  for (auto& [length, auth] : found) out.push_back(std::move(auth));
  return out;
}

}  // namespace skerry::edged
