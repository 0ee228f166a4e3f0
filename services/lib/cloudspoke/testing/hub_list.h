// Hubs that a test names.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_TESTING_HUB_LIST_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_TESTING_HUB_LIST_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/rpc/channel.h"

namespace skerry::cloudspoke {

// Any thread may call it. On loopback, with quick attempts to connect.
class HubList final : public HubSource {
 public:
  void Set(const std::vector<std::string>& addresses) {
    std::vector<HubTarget> hubs;
    for (const std::string& address : addresses) {
      const auto channel = *rpc::MakeChannel({.target = address,
                                              .backoff_min = absl::Milliseconds(20),
                                              .backoff_max = absl::Milliseconds(100),
                                              .own_connection = true});
      hubs.push_back({address, channel, channel});
    }
    absl::MutexLock lock(&mutex_);
    hubs_ = std::move(hubs);
  }
  std::vector<HubTarget> Find() override {
    absl::MutexLock lock(&mutex_);
    return hubs_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<HubTarget> hubs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_TESTING_HUB_LIST_H_
