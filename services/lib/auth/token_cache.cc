#include "services/lib/auth/token_cache.h"

#include <utility>

namespace skerry::auth {
namespace {

// Of list and map nodes, about.
constexpr size_t kNodeBytes = 128;

size_t BytesOf(absl::string_view hash, const TokenCache::Answer& answer) {
  size_t bytes = kNodeBytes + 2 * hash.size();
  if (!answer.ok()) return bytes + answer.status().message().size() + kNodeBytes;
  bytes += answer->user.size();
  for (const std::string& organization : answer->organizations)
    bytes += sizeof(std::string) + organization.size();
  return bytes;
}

}  // namespace

const TokenCache::Answer* TokenCache::Find(absl::string_view hash, absl::Duration now) {
  const auto found = by_hash_.find(std::string(hash));
  if (found == by_hash_.end()) return nullptr;
  if (now < found->second->until) return &found->second->answer;
  Remove(found->second);
  return nullptr;
}

size_t TokenCache::Put(absl::string_view hash, Answer answer, absl::Duration now,
                       absl::Duration until) {
  const auto found = by_hash_.find(std::string(hash));
  if (found != by_hash_.end()) Remove(found->second);
  while (!entries_.empty() && entries_.front().until <= now) Remove(entries_.begin());
  const size_t bytes = BytesOf(hash, answer);
  if (bytes > bytes_max_) return 0;
  size_t evicted = 0;
  while (bytes_ + bytes > bytes_max_) {
    if (now < entries_.front().until) ++evicted;
    Remove(entries_.begin());
  }
  entries_.push_back({std::string(hash), std::move(answer), until, bytes});
  by_hash_[entries_.back().hash] = std::prev(entries_.end());
  bytes_ += bytes;
  return evicted;
}

void TokenCache::Remove(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_hash_.erase(entry->hash);
  entries_.erase(entry);
}

}  // namespace skerry::auth
