// Events that a test reads.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_EVENTS_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_EVENTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/kube_event.h"

namespace skerry::edged {

// One thread.
class FakeEvents final : public EventSink {
 public:
  void Record(const EventTarget& about, EventType type, absl::string_view reason,
              absl::string_view message) override {
    lines_.push_back(absl::StrCat(type == EventType::kNormal ? "" : "Warning ", reason, " of ",
                                  about.field_path.empty() ? about.name : about.field_path, ": ",
                                  message));
  }
  // Those since the last call.
  std::vector<std::string> Take() { return std::exchange(lines_, {}); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_EVENTS_H_
