#include "services/edge-meta-svc/store/object_cipher.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edgemeta {
namespace {

// Sealed: format (1 byte), nonce, ciphertext, tag.
constexpr char kFormat = 1;
constexpr size_t kKeyBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

absl::Status FileError(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(what, " ", path, ": ", strerror(errno)));
}

absl::Status Unreadable() {
  return Error(absl::StatusCode::kDataLoss, "the stored object can't be decrypted")
      .Reason("OBJECT_UNREADABLE");
}

// Writes beside the file and renames, so that a key is whole or absent whenever power is lost.
absl::Status WriteKey(const std::string& path, absl::string_view key) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("can't create the key file", temporary);
  bool written =
      write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && fsync(fd) == 0;
  absl::Status error =
      written ? absl::OkStatus() : FileError("can't write the key file", temporary);
  close(fd);
  SKERRY_RETURN_IF_ERROR(error);
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return FileError("can't place the key file", path);
  std::string folder = path.substr(0, path.find_last_of('/') + 1);
  int folder_fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return FileError("can't open the folder of", path);
  error = fsync(folder_fd) == 0 ? absl::OkStatus() : FileError("can't sync the folder of", path);
  close(folder_fd);
  return error;
}

// Empty: there is no file.
absl::StatusOr<std::string> ReadKey(const std::string& path, bool& exists) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  exists = fd >= 0;
  if (fd < 0) {
    if (errno == ENOENT) return std::string();
    return FileError("can't open the key file", path);
  }
  std::string key(kKeyBytes + 1, '\0');
  ssize_t got = read(fd, key.data(), key.size());
  if (got == static_cast<ssize_t>(kKeyBytes)) fchmod(fd, 0600);
  absl::Status error = got < 0 ? FileError("can't read the key file", path) : absl::OkStatus();
  close(fd);
  SKERRY_RETURN_IF_ERROR(error);
  key.resize(got);
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ObjectCipher>> ObjectCipher::OpenOrCreate(const std::string& path) {
  bool exists = false;
  SKERRY_ASSIGN_OR_RETURN(std::string key, ReadKey(path, exists));
  if (key.size() == kKeyBytes) {
    return std::unique_ptr<ObjectCipher>(new ObjectCipher(std::move(key), false));
  }
  if (exists) {
    std::string aside = absl::StrCat(path, ".damaged-", absl::ToUnixSeconds(absl::Now()));
    if (rename(path.c_str(), aside.c_str()) != 0)
      return FileError("can't set the damaged key file aside", path);
  }
  key.resize(kKeyBytes);
  if (RAND_bytes(Bytes(key), kKeyBytes) != 1)
    return absl::InternalError("no random numbers for a key");
  SKERRY_RETURN_IF_ERROR(WriteKey(path, key));
  return std::unique_ptr<ObjectCipher>(new ObjectCipher(std::move(key), true));
}

ObjectCipher::ObjectCipher(std::string key, bool created)
    : key_(std::move(key)), created_(created) {}

ObjectCipher::~ObjectCipher() { OPENSSL_cleanse(key_.data(), key_.size()); }

absl::StatusOr<std::string> ObjectCipher::Seal(absl::string_view name,
                                               absl::string_view plain) const {
  std::string sealed(1 + kNonceBytes + plain.size() + kTagBytes, '\0');
  sealed[0] = kFormat;
  unsigned char* nonce = Bytes(sealed) + 1;
  unsigned char* body = nonce + kNonceBytes;
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int length = 0;
  if (context == nullptr || RAND_bytes(nonce, kNonceBytes) != 1 ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(absl::string_view(key_)),
                         nonce) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &length, Bytes(name),
                        static_cast<int>(name.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), body, &length, Bytes(plain),
                        static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), body + length, &length) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body + plain.size()) !=
          1) {
    return absl::InternalError("encryption failed");
  }
  return sealed;
}

absl::StatusOr<std::string> ObjectCipher::Open(absl::string_view name,
                                               absl::string_view sealed) const {
  if (sealed.size() < 1 + kNonceBytes + kTagBytes || sealed[0] != kFormat) return Unreadable();
  const unsigned char* nonce = Bytes(sealed) + 1;
  absl::string_view body =
      sealed.substr(1 + kNonceBytes, sealed.size() - 1 - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plain(body.size(), '\0');
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int length = 0;
  unsigned char last[kTagBytes];  // GCM writes nothing here, but wants a place.
  if (context == nullptr ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(absl::string_view(key_)),
                         nonce) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &length, Bytes(name),
                        static_cast<int>(name.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), Bytes(plain), &length, Bytes(body),
                        static_cast<int>(body.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context.get(), last, &length) != 1) {
    return Unreadable();
  }
  return plain;
}

}  // namespace skerry::edgemeta
