// One change of one object, as a store tells its watchers.
#ifndef SKERRY_SERVICES_LIB_WATCH_CHANGE_H_
#define SKERRY_SERVICES_LIB_WATCH_CHANGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace skerry::watch {

// The object's state after an upsert, or its last state before a delete.
struct Change {
  std::string type;
  std::string key;
  std::string version;   // The cloud's. Opaque.
  int64_t revision = 0;  // The store's: greater for every later change.
  bool deleted = false;
  std::string object;

  // What it costs to keep: the strings and the bookkeeping around them.
  size_t bytes() const { return type.size() + key.size() + version.size() + object.size() + 128; }
};

// Immutable, shared by every watcher that it waits for.
using ChangePtr = std::shared_ptr<const Change>;

}  // namespace skerry::watch

#endif  // SKERRY_SERVICES_LIB_WATCH_CHANGE_H_
