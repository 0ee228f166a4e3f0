// Values by key, of which only those that were used last are kept.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_LRU_TABLE_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_LRU_TABLE_H_

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace skerry::edged {

template <typename Value>
class LruTable {
 public:
  explicit LruTable(size_t size_max) : size_max_(size_max) {}

  // The value of `key`, now the one used last; a new one where there was none, for which the one
  // that was unused for longest makes room. Good until the next call.
  Value& Use(const std::string& key) {
    if (const auto it = by_key_.find(key); it != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, it->second);
      return entries_.front().second;
    }
    if (entries_.size() >= size_max_) {
      by_key_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, Value());
    by_key_[key] = entries_.begin();
    return entries_.front().second;
  }
  size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  const size_t size_max_;
  Entries entries_;  // The one used last is the first.
  std::unordered_map<std::string, typename Entries::iterator> by_key_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_LRU_TABLE_H_
