// Any text as a token: what a caller's "authorization" is given to, before anything vouches for it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "services/lib/security/jwt.h"

namespace {

std::unique_ptr<skerry::security::JwtKey> MakeKey() {
  std::string folder = "/tmp/jwt-fuzz-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) std::abort();
  auto key = skerry::security::JwtKey::LoadOrCreate(folder + "/key");
  if (!key.ok()) std::abort();
  std::remove((folder + "/key").c_str());
  std::remove(folder.c_str());
  return *std::move(key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* key = MakeKey().release();
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (key->Verify(text).ok()) std::abort();  // Nobody has the key.
  const auto token = key->Sign(text);
  if (!token.ok()) std::abort();
  const auto payload = key->Verify(*token);
  if (payload.ok() ? *payload != text : token->size() <= skerry::security::kJwtBytesMax)
    std::abort();
  return 0;
}
