#include "services/eventbus-svc/wire/write_ids.h"

#include "absl/strings/str_cat.h"
#include "services/lib/security/x509.h"

namespace skerry::eventbus {

std::string WriteIdOf(absl::string_view event_id, absl::string_view payload) {
  if (event_id.empty()) return "";
  return absl::StrCat("mqtt:", security::Sha256Hex(payload));  // The event id is in the payload.
}

}  // namespace skerry::eventbus
