#include "services/edged-svc/core/fields.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

// As Go's %q for the text that labels and annotations have.
std::string Quote(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          absl::StrAppend(&out, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string Lines(const std::map<std::string, std::string>& map) {
  std::vector<std::string> lines;
  lines.reserve(map.size());
  for (const auto& [key, value] : map) lines.push_back(key + "=" + Quote(value));
  return absl::StrJoin(lines, "\n");
}

// True: path is name['key'].
bool Subscript(absl::string_view path, absl::string_view name, std::string& key) {
  if (!absl::ConsumePrefix(&path, name) || !absl::ConsumePrefix(&path, "['") ||
      !absl::ConsumeSuffix(&path, "']"))
    return false;
  key = std::string(path);
  return true;
}

std::string ValueOf(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? "" : it->second;
}

}  // namespace

absl::StatusOr<std::string> PodField(const PodSpec& pod, const PodPlace& place,
                                     absl::string_view path) {
  if (path == "metadata.name") return pod.name;
  if (path == "metadata.namespace") return pod.name_space;
  if (path == "metadata.uid") return pod.uid;
  if (path == "metadata.labels") return Lines(pod.labels);
  if (path == "metadata.annotations") return Lines(pod.annotations);
  std::string key;
  if (Subscript(path, "metadata.labels", key)) return ValueOf(pod.labels, key);
  if (Subscript(path, "metadata.annotations", key)) return ValueOf(pod.annotations, key);
  if (path == "spec.nodeName") return pod.node_name;
  if (path == "spec.serviceAccountName") return pod.service_account;
  if (path == "status.hostIP" || path == "status.hostIPs") return place.host_address;
  const std::vector<std::string> host = {place.host_address};
  const std::vector<std::string>& addresses = pod.host_network ? host : place.addresses;
  if (path == "status.podIP") return addresses.empty() ? "" : addresses.front();
  if (path == "status.podIPs") return absl::StrJoin(addresses, ",");
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("unsupported fieldPath: ", path.substr(0, 256)))
      .Reason("FIELD_PATH_UNSUPPORTED");
}

}  // namespace skerry::edged
