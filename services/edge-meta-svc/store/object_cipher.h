// Encryption of objects at rest: AES-256-GCM under a key file of this box.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_STORE_OBJECT_CIPHER_H_
#define SKERRY_SERVICES_EDGE_META_SVC_STORE_OBJECT_CIPHER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edgemeta {

// Any thread may call it.
class ObjectCipher {
 public:
  // Reads the key, or creates it (mode 0600, durable before this returns). A file that does not
  // hold a key is renamed to "<path>.damaged-<unix seconds>" and a new key is made: what was sealed
  // is then lost.
  static absl::StatusOr<std::unique_ptr<ObjectCipher>> OpenOrCreate(const std::string& path);

  // `name` is what the bytes are (type, key and version): sealed bytes of one object can't stand
  // for another.
  absl::StatusOr<std::string> Seal(absl::string_view name, absl::string_view plain) const;
  // DATA_LOSS / OBJECT_UNREADABLE: sealed with another key, under another name, or damaged.
  absl::StatusOr<std::string> Open(absl::string_view name, absl::string_view sealed) const;

  // The key was made by this OpenOrCreate.
  bool created() const { return created_; }

  ~ObjectCipher();
  ObjectCipher(const ObjectCipher&) = delete;
  ObjectCipher& operator=(const ObjectCipher&) = delete;

 private:
  ObjectCipher(std::string key, bool created);
  std::string key_;
  const bool created_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_STORE_OBJECT_CIPHER_H_
