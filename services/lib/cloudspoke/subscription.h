// What a node holds of one type against what it should hold.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_SUBSCRIPTION_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_SUBSCRIPTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/lib/model/kube_object.h"

namespace skerry::cloudspoke {

// "<uid>/<resourceVersion>".
std::string VersionOf(const KubeObject& object);

// What should be on the node now.
struct Desired {
  KubeObject object;
  // Where set: a digest of what the node has use for. A new version with the digest that was sent
  // last is not sent (a Node's status echoes what the node itself reported).
  uint64_t digest = 0;
};

// One message down.
struct Push {
  enum class Kind { kUpsert, kDelete, kSynced };
  Kind kind = Kind::kSynced;
  std::string key;
  std::string version;               // Upserts.
  std::optional<KubeObject> object;  // Upserts.
};

// State-based: it remembers what the node was told and which keys want a look, and decides what to
// send at the moment of sending. So any number of changes to a key while the node is slow become
// one push, and a key costs a few bytes however often it changes. Used by one thread.
class Subscription {
 public:
  // Null: the node should not hold it.
  using Lookup = std::function<std::optional<Desired>(const std::string& key)>;

  explicit Subscription(uint64_t id) : id_(id) {}
  uint64_t id() const { return id_; }

  // A part of what the node holds; false beyond `holdings_max` in all.
  bool AddHolding(const std::string& key, const std::string& version, size_t holdings_max);
  // The holdings are whole; `needed` are the keys that the node needs.
  void Begin(const std::vector<std::string>& needed);
  bool begun() const { return begun_; }

  // The object changed, or the need for it. What the node no longer needs is sent before the rest.
  void Touch(const std::string& key, bool needed);
  bool HasWork() const { return begun_ && (!unneeded_.empty() || !dirty_.empty() || !synced_); }
  bool HasUnneeded() const { return begun_ && !unneeded_.empty(); }
  // The next push; nullopt when there is nothing to say. Synced comes once, after all that was
  // different at Begin.
  std::optional<Push> Next(const Lookup& lookup);
  bool synced() const { return synced_; }

 private:
  struct Held {
    std::string version;
    uint64_t digest = 0;
  };

  std::optional<Push> Decide(const std::string& key, const Lookup& lookup);

  const uint64_t id_;
  bool begun_ = false;
  bool synced_ = false;
  std::map<std::string, Held> held_;
  std::set<std::string> unneeded_;
  std::set<std::string> dirty_;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_SUBSCRIPTION_H_
