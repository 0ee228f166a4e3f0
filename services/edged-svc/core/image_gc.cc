#include "services/edged-svc/core/image_gc.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace skerry::edged {

int64_t BytesToFree(const DiskUsage& disk, const ImageGcPolicy& policy) {
  if (disk.capacity_bytes <= 0) return 0;
  // In 128 bits: a hundred times the bytes of a very large disk are more than 64 hold.
  const __int128 capacity = disk.capacity_bytes;
  const __int128 available = std::min(disk.available_bytes, disk.capacity_bytes);
  if (100 - available * 100 / capacity < policy.high_threshold_percent) return 0;
  return static_cast<int64_t>(
      std::max<__int128>(0, capacity * (100 - policy.low_threshold_percent) / 100 - available));
}

void ImageRecords::Observe(const std::vector<StoredImage>& images,
                           const std::set<std::string>& wanted, absl::Duration now) {
  now_ = now;
  std::map<std::string, Record> before = std::exchange(records_, {});
  for (const StoredImage& image : images) {
    const auto known = before.find(image.id);
    Record& record = records_[image.id];
    record = known == before.end() ? Record{.first_seen = now} : std::move(known->second);
    record.image = image;
    record.image.used =
        image.used || std::any_of(image.names.begin(), image.names.end(),
                                  [&](const std::string& name) { return wanted.contains(name); });
    if (record.image.used) record.last_used = now;
  }
}

std::vector<StoredImage> ImageRecords::Removable(absl::Duration age_min) const {
  std::vector<const Record*> found;
  for (const auto& [id, record] : records_) {
    if (!record.image.pinned && !record.image.used && !record.image.foreign &&
        now_ - record.first_seen >= age_min)
      found.push_back(&record);
  }
  std::sort(found.begin(), found.end(), [](const Record* a, const Record* b) {
    return std::tie(a->last_used, a->first_seen, a->image.id) <
           std::tie(b->last_used, b->first_seen, b->image.id);
  });
  std::vector<StoredImage> out;
  for (const Record* record : found) out.push_back(record->image);
  return out;
}

bool ImageRecords::AnyForeign() const {
  return std::any_of(records_.begin(), records_.end(), [](const auto& entry) {
    return entry.second.image.foreign && !entry.second.image.used;
  });
}

}  // namespace skerry::edged
