#include "services/edged-svc/streaming/stream_tokens.h"

#include <openssl/rand.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edged {

absl::StatusOr<std::string> StreamTokens::Add(StreamRequest request, absl::Duration now) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1)
    return Error(absl::StatusCode::kInternal, "the system gives no random bytes")
        .Reason("NO_RANDOM_BYTES");
  std::string token =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(bytes), sizeof(bytes)));
  absl::MutexLock lock(&mutex_);
  for (auto it = waiting_.begin(); it != waiting_.end();)
    it = it->second.until <= now ? waiting_.erase(it) : std::next(it);
  if (waiting_.size() >= waiting_max_) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat(waiting_max_, " streams wait for their clients; try again later"))
        .Reason("TOO_MANY_STREAMS");
  }
  waiting_[token] = {std::move(request), now + age_max_};
  return token;
}

std::optional<StreamRequest> StreamTokens::Take(absl::string_view token, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  const auto it = waiting_.find(std::string(token));
  if (it == waiting_.end()) return std::nullopt;
  Waiting waiting = std::move(it->second);
  waiting_.erase(it);
  if (waiting.until <= now) return std::nullopt;
  return std::move(waiting.request);
}

}  // namespace skerry::edged
