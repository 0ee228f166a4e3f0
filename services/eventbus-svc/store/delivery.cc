#include "services/eventbus-svc/store/delivery.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/x509.h"

namespace skerry::eventbus {

absl::StatusOr<bool> IsFirstDelivery(sqlite::Database& database, const Delivery& delivery,
                                     absl::string_view topic, absl::string_view payload) {
  if (delivery.packet_id == 0) return true;
  // A topic has no NUL.
  const std::string digest =
      security::Sha256Hex(absl::StrCat(topic, absl::string_view("\0", 1), payload)).substr(0, 32);
  if (delivery.duplicate) {
    sqlite::Statement read =
        database.Prepare("SELECT 1 FROM delivery WHERE packet_id = ?1 AND digest = ?2");
    read.Bind(1, int64_t{delivery.packet_id}).Bind(2, digest);
    SKERRY_ASSIGN_OR_RETURN(bool taken, read.Step());
    if (taken) return false;
  }
  SKERRY_RETURN_IF_ERROR(
      database.Prepare("INSERT OR REPLACE INTO delivery VALUES (?1, ?2, row_checksum(?2))")
          .Bind(1, int64_t{delivery.packet_id})
          .Bind(2, digest)
          .Run());
  return true;
}

}  // namespace skerry::eventbus
