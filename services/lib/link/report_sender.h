// Edge end of the reports of one type: what of the journal is on its way.
#ifndef SKERRY_SERVICES_LIB_LINK_REPORT_SENDER_H_
#define SKERRY_SERVICES_LIB_LINK_REPORT_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-5.1 to link-5.6. The values are in the journal; this knows sequences only. A part of
// EdgeSession: used by its thread.
class ReportSender {
 public:
  // Read entries above `after`, at most this many and about this many bytes.
  struct Fetch {
    uint64_t after = 0;
    size_t count_max = 0;
    size_t bytes_max = 0;
  };

  explicit ReportSender(absl::string_view type) : type_(type) {}

  // The journal has an entry of this sequence.
  void Stored(uint64_t sequence);
  // A new session: everything that the journal still holds goes again.
  void Restart();
  // What to read from the journal now; one read at a time, answered by Fetched.
  std::optional<Fetch> NextFetch();
  // A report that was read goes out: call in order, then Fetched.
  void Sent(const Report& report);
  // The read is over; `more`: the journal has further entries above the last one sent.
  void Fetched(bool more);
  // A violation where the ack names what was not sent.
  absl::Status Ack(uint64_t sequence);

 private:
  const std::string type_;
  std::map<uint64_t, size_t> in_flight_;  // Sequence to bytes.
  size_t in_flight_bytes_ = 0;
  uint64_t sent_ = 0;   // In this session; entries above are to go.
  uint64_t acked_ = 0;  // In this session.
  bool fetching_ = false;
  bool more_ = true;  // The journal may hold entries above sent_ (as after a start).
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_REPORT_SENDER_H_
