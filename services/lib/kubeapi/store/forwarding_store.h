// For tests: a store that hands every call on. Override what the test is about.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_FORWARDING_STORE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_FORWARDING_STORE_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/store/object_store.h"

namespace skerry::kubeapi {

// Any thread may call it. `store` outlives it.
class ForwardingStore : public ObjectStore {
 public:
  explicit ForwardingStore(ObjectStore& store) : store_(store) {}

  absl::StatusOr<StoredObject> Get(const ObjectKey& key) override { return store_.Get(key); }
  absl::StatusOr<ListPage> List(const ListQuery& query) override { return store_.List(query); }
  absl::StatusOr<StoreRevision> Create(const ObjectKey& key, absl::string_view json) override {
    return store_.Create(key, json);
  }
  absl::StatusOr<StoreRevision> Update(const ObjectKey& key, absl::string_view json,
                                       StoreRevision expected) override {
    return store_.Update(key, json, expected);
  }
  absl::StatusOr<StoreRevision> Delete(const ObjectKey& key, StoreRevision expected,
                                       absl::string_view last_json) override {
    return store_.Delete(key, expected, last_json);
  }
  absl::StatusOr<WatchId> Watch(const WatchQuery& query, std::shared_ptr<WatchSink> sink) override {
    return store_.Watch(query, std::move(sink));
  }
  void CancelWatch(WatchId id) override { store_.CancelWatch(id); }
  absl::StatusOr<StoreRevision> CurrentRevision() override { return store_.CurrentRevision(); }
  absl::StatusOr<StoreRevision> CompactedRevision() override { return store_.CompactedRevision(); }
  absl::Status Check() override { return store_.Check(); }

 private:
  ObjectStore& store_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_FORWARDING_STORE_H_
