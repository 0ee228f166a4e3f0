// What a reconciler says when it has succeeded.
#ifndef SKERRY_SERVICES_LIB_RECONCILE_OUTCOME_H_
#define SKERRY_SERVICES_LIB_RECONCILE_OUTCOME_H_

#include <optional>

#include "absl/time/time.h"

namespace skerry::reconcile {

// Done, or done for now. Errors are statuses, not outcomes.
class Outcome {
 public:
  static Outcome Done() { return Outcome(std::nullopt); }
  static Outcome RecheckAfter(absl::Duration delay) { return Outcome(delay); }

  const std::optional<absl::Duration>& recheck_after() const { return recheck_after_; }

 private:
  explicit Outcome(std::optional<absl::Duration> delay) : recheck_after_(delay) {}
  std::optional<absl::Duration> recheck_after_;
};

}  // namespace skerry::reconcile

#endif  // SKERRY_SERVICES_LIB_RECONCILE_OUTCOME_H_
