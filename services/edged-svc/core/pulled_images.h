// Which images edged has pulled. Where the runtime is not edged's alone (Docker), these only are
// its to remove.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_PULLED_IMAGES_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_PULLED_IMAGES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

// A value without threads.
class PulledImages {
 public:
  // Of Format's text. Beyond, a pull is not remembered: its image stays until somebody removes it.
  static constexpr size_t kBytesMax = 512 << 10;

  // INVALID_ARGUMENT names the line that Format has not written.
  static absl::StatusOr<PulledImages> Parse(absl::string_view text);
  std::string Format() const;

  // A pull of `name` (in full) has brought `id`. before: ids of the images that there were when it
  // began; what was there then stays whose it was. Whether that is news. RESOURCE_EXHAUSTED at the
  // bound.
  absl::StatusOr<bool> Add(const std::string& id, const std::string& name,
                           const std::set<std::string>& before);
  // By now; what is added later has a higher one.
  uint64_t generation() const { return generation_; }
  // Forgets what is not among `ids`, which were listed after `generation`. Whether that was any.
  bool Retain(const std::set<std::string>& ids, uint64_t generation);

  // Whether edged has pulled it, under every name that it has. One that somebody else has given a
  // name of theirs is theirs, too.
  bool Owns(const std::string& id, const std::set<std::string>& names) const;

 private:
  struct Record {
    std::set<std::string> names;
    uint64_t generation = 0;
  };
  std::map<std::string, Record> records_;  // By id.
  size_t bytes_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_PULLED_IMAGES_H_
