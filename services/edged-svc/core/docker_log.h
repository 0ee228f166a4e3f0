// What Docker tells of a container's output, and the lines that a CRI runtime would write of it.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_LOG_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

// Splits a stream of frames: one byte of kind (1 stdout, 2 stderr), three of nothing, four of size
// (big endian), the bytes. (Docker Engine API, "Attach to a container", stream format.) One thread.
class DockerFrames {
 public:
  struct Piece {
    bool from_stderr = false;
    absl::string_view bytes;
    bool ends_frame = false;
  };
  // Hands out what there is of each frame, in order. An error for what is no frame, and what Docker
  // says in a frame of kind 3; nothing is to be put in afterwards.
  absl::Status Put(absl::string_view bytes, absl::FunctionRef<void(const Piece&)> take);

 private:
  std::string header_;
  size_t left_ = 0;  // Of the frame.
  uint8_t kind_ = 0;
};

// One entry of the log: at most 16 KiB of a line.
struct DockerLogEntry {
  bool from_stderr = false;
  absl::string_view stamp;  // "2016-10-06T00:17:09.669794202Z".
  absl::string_view text;   // Without the newline.
  bool partial = false;     // The line goes on in the next entry.
};

// Reads the answer to /containers/{id}/logs?timestamps=1. One thread.
class DockerLogReader {
 public:
  explicit DockerLogReader(bool tty) : tty_(tty) {}

  absl::Status Put(absl::string_view bytes, absl::FunctionRef<void(const DockerLogEntry&)> take);

 private:
  absl::Status PutTerminal(absl::string_view bytes,
                           absl::FunctionRef<void(const DockerLogEntry&)> take);

  const bool tty_;  // A terminal's output comes without frames.
  DockerFrames frames_;
  std::string entry_;
};

// With its newline: "2016-10-06T00:17:09.669794202Z stdout F text\n".
std::string ToCriLine(const DockerLogEntry& entry);

// Where a copy of a log ends. Docker's file has its entries in an order of its own, in which stamps
// need not rise: both streams write at the same time, all parts of a long line have one stamp, and
// clocks are set back. So the place is the last line itself, as often as it has been just before.
struct LogPosition {
  static constexpr size_t kRecentMax = 64;

  std::string stamp;          // Of the last line; empty: there is none.
  std::deque<size_t> recent;  // Hashes of the last kRecentMax lines.

  bool empty() const { return recent.empty(); }
  // `line`: in CRI's format, without its newline.
  void Add(absl::string_view line_stamp, absl::string_view line);
  bool operator==(const LogPosition&) const = default;
};

// Of the end of a file; `tail` begins at any place in it.
LogPosition FindPosition(absl::string_view tail);

// "1475713019.669794202", for Docker's `since`: a little before the last line, as what follows it
// may be older. Empty for no position.
std::string SinceOf(const LogPosition& position);

// Leaves out what is in the copy already, of a log that is read from SinceOf(position) on.
class LogResumer {
 public:
  enum class Begin {
    kBehindLast,  // With the entry that comes after the last line of the copy.
    kNewer,       // Docker has the last line no more: with the first that is newer.
  };
  LogResumer(LogPosition position, Begin begin);

  // False: it is there already. Else it is counted in.
  bool Take(const DockerLogEntry& entry);
  // The place has been passed; from here on everything is taken.
  bool found() const { return found_; }
  const LogPosition& position() const { return position_; }

 private:
  LogPosition position_;
  const Begin begin_;
  bool found_ = false;
  size_t last_ = 0, left_ = 0;  // Its hash, and how many of it are still to come.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_LOG_H_
