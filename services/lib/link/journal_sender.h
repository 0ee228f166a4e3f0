// Edge end of what goes up from the journal, of one type of reports or one stream of events: what
// of it is on its way.
#ifndef SKERRY_SERVICES_LIB_LINK_JOURNAL_SENDER_H_
#define SKERRY_SERVICES_LIB_LINK_JOURNAL_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-5.1 to link-5.6 and link-9.1 to link-9.5. The values are in the journal; this knows
// sequences only. A part of EdgeSession: used by its thread.
class JournalSender {
 public:
  struct Window {
    size_t count = 0;
    size_t bytes = 0;
  };
  // Read entries above `after`, at most this many and about this many bytes.
  struct Fetch {
    uint64_t after = 0;
    size_t count_max = 0;
    size_t bytes_max = 0;
  };

  // `rule` is the one that an ack of something else breaks, `what` names it for people.
  JournalSender(absl::string_view rule, absl::string_view what, const Window& window)
      : rule_(rule), what_(what), window_(window) {}

  // The journal has an entry of this sequence.
  void Stored(uint64_t sequence) {
    if (sequence > sent_) more_ = true;
  }
  // A new session: everything that the journal still holds goes again.
  void Restart();
  // What may be read from the journal now; one read at a time: Fetching, then Sent for each entry,
  // then Fetched.
  std::optional<Fetch> NextFetch() const;
  void Fetching() {
    fetching_ = true;
    more_ = false;  // Set again by Stored while the read is under way, or by Fetched.
  }
  // An entry that was read goes out: call in order.
  void Sent(uint64_t sequence, size_t bytes);
  // The read is over; `more`: the journal has further entries above the last one sent.
  void Fetched(bool more) {
    fetching_ = false;
    more_ = more_ || more;
  }
  // A violation where the ack names what was not sent.
  absl::Status Ack(uint64_t sequence);

 private:
  std::string rule_;
  std::string what_;
  Window window_;
  std::map<uint64_t, size_t> in_flight_;  // Sequence to bytes.
  size_t in_flight_bytes_ = 0;
  uint64_t sent_ = 0;   // In this session; entries above are to go.
  uint64_t acked_ = 0;  // In this session.
  bool fetching_ = false;
  bool more_ = true;  // The journal may hold entries above sent_ (as after a start).
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_JOURNAL_SENDER_H_
