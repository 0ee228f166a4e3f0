// What one end of a link may send: a token bucket that may go into debt.
#ifndef SKERRY_SERVICES_LIB_LINK_BYTE_BUDGET_H_
#define SKERRY_SERVICES_LIB_LINK_BYTE_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-14.1 to link-14.3. Everything that is sent is taken from it, also what does not ask
// (Open) and what is greater than what is left: the debt is waited off by those who ask. Without a
// limit it is always open. It starts empty, so that neither a restart nor a reconnect is worth a
// burst. Times are monotonic. A part of a session: used by its thread.
class ByteBudget {
 public:
  explicit ByteBudget(ByteLimit limit = {}) : limit_(limit) {}

  const ByteLimit& limit() const { return limit_; }
  bool limited() const { return limit_.bytes_per_second != 0; }

  // What can wait may go now. When all is spent, only after a second's worth has come in: fewer
  // and fuller frames.
  bool Open(absl::Duration now);
  void Spend(size_t bytes, absl::Duration now);
  // Of what can wait, a read of the journal should not bring more. At least 1.
  size_t ReadBytesMax(absl::Duration now) const;

  // Something waits for Open. True where nothing did before.
  bool Wait(absl::Duration now);
  // It went, or will not go any more.
  void StopWaiting(absl::Duration now);
  bool waiting() const { return waiting_since_.has_value(); }
  // When what waits should try again.
  absl::Duration NextWake() const;

  // Below 0 there is debt.
  int64_t left_bytes(absl::Duration now) const { return static_cast<int64_t>(LeftAt(now)); }
  // How long something has been waiting, in all.
  absl::Duration waited(absl::Duration now) const;

 private:
  double LeftAt(absl::Duration now) const;
  double ReopenBytes() const;

  ByteLimit limit_;
  std::optional<absl::Duration> updated_;
  double left_ = 0;  // At `updated_`.
  bool spent_ = true;
  std::optional<absl::Duration> waiting_since_;
  absl::Duration waited_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_BYTE_BUDGET_H_
