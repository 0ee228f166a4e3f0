// Which URLs may be called.
#ifndef SKERRY_SERVICES_LIB_BASE_HTTP_ALLOW_LIST_H_
#define SKERRY_SERVICES_LIB_BASE_HTTP_ALLOW_LIST_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/http_url.h"

namespace skerry {

// "[METHOD[|METHOD…] ]http://host:port/path": the path and what is below it, by these methods, or
// by all. The port may be "*". Hosts are compared as they are written: an allowed name does not
// allow its addresses.
class HttpAllowList {
 public:
  // An empty one allows nothing. INVALID_ARGUMENT names the entry of `field` and what is wrong with
  // it.
  static absl::StatusOr<HttpAllowList> Parse(absl::string_view field,
                                             const std::vector<std::string>& entries);

  bool Allows(absl::string_view method, const HttpUrl& url) const;

 private:
  struct Entry {
    HttpUrl url;
    bool any_port = false;
    std::set<std::string> methods;  // Empty: all.
  };
  static absl::StatusOr<Entry> ParseEntry(absl::string_view field, absl::string_view text);

  std::vector<Entry> entries_;
};

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_HTTP_ALLOW_LIST_H_
