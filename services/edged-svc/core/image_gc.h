// Which images may go when the disk fills up, and how many.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_IMAGE_GC_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_IMAGE_GC_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

struct DiskUsage {
  int64_t capacity_bytes = 0, available_bytes = 0;
};

// The kubelet's names and defaults.
struct ImageGcPolicy {
  int64_t high_threshold_percent = 85;
  int64_t low_threshold_percent = 80;
  absl::Duration age_min = absl::Minutes(2);
};

// From the high threshold on: what brings usage down to the low one. Else 0.
int64_t BytesToFree(const DiskUsage& disk, const ImageGcPolicy& policy);

// What is known of the images by looking at them again and again. A value without threads.
class ImageRecords {
 public:
  // images: all that there are. wanted: full names of images that pods of this box name, whether a
  // container uses them yet or not. now: monotonic.
  void Observe(const std::vector<StoredImage>& images, const std::set<std::string>& wanted,
               absl::Duration now);
  // As of the last Observe: neither pinned, nor in use, nor foreign, and seen for at least
  // `age_min`. Those that have been without use for longest first.
  std::vector<StoredImage> Removable(absl::Duration age_min) const;
  // Whether one is without use that only somebody else may remove.
  bool AnyForeign() const;

 private:
  struct Record {
    StoredImage image;
    absl::Duration first_seen;
    absl::Duration last_used = -absl::InfiniteDuration();
  };
  std::map<std::string, Record> records_;  // By id.
  absl::Duration now_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_IMAGE_GC_H_
