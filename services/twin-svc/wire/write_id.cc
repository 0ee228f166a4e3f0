#include "services/twin-svc/wire/write_id.h"

#include "absl/strings/numbers.h"
#include "services/lib/security/x509.h"

namespace skerry::twin {

uint64_t WriteIdOf(absl::string_view request_id) {
  if (request_id.empty()) return 0;
  uint64_t id = 0;
  if (!absl::SimpleHexAtoi(security::Sha256Hex(request_id).substr(0, 16), &id)) return 1;
  return id == 0 ? 1 : id;
}

}  // namespace skerry::twin
