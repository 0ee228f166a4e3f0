#include "services/cloudhub-svc/core/node_record.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {

absl::StatusOr<NameRecord> Admit(const std::optional<NameRecord>& record, const LinkingBox& box) {
  if (!record.has_value() || record->key_hash == box.key_hash)
    return NameRecord{.key_hash = box.key_hash};
  if (record->former_key_hash == box.key_hash) return *record;
  const std::string& node = box.node.value();
  return Error(absl::StatusCode::kPermissionDenied,
               absl::StrCat("the name '", node,
                            "' belongs to another key than this box's; if this box is to be the "
                            "node: skerryctl token create --node ",
                            node, ", then skerryctl join --force on the box"))
      .Reason(kNodeKeyWrong)
      .Meta("node", node);
}

}  // namespace skerry::cloudhub
