// What was lately found out about tokens, by their hash.
#ifndef SKERRY_SERVICES_LIB_AUTH_TOKEN_CACHE_H_
#define SKERRY_SERVICES_LIB_AUTH_TOKEN_CACHE_H_

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/security/token_authenticator.h"

namespace skerry::auth {

// Instants are those of Clock::Monotonic(). At `bytes_max` the oldest answers go. Not thread-safe.
class TokenCache {
 public:
  using Answer = absl::StatusOr<security::TokenIdentity>;

  explicit TokenCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Null where nothing is known at `now`. Valid until the next call of Put or Find.
  const Answer* Find(absl::string_view hash, absl::Duration now);
  // Good until before `until`. Returns how many answers had to go for it that were still good. An
  // answer that alone is beyond the bound is not kept.
  size_t Put(absl::string_view hash, Answer answer, absl::Duration now, absl::Duration until);

  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string hash;
    Answer answer;
    absl::Duration until;
    size_t bytes;
  };
  using Entries = std::list<Entry>;

  void Remove(Entries::iterator entry);

  const size_t bytes_max_;
  Entries entries_;  // Oldest first.
  std::unordered_map<std::string, Entries::iterator> by_hash_;
  size_t bytes_ = 0;
};

}  // namespace skerry::auth

#endif  // SKERRY_SERVICES_LIB_AUTH_TOKEN_CACHE_H_
