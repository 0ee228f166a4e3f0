// What Docker tells of a container's output, and the lines that a CRI runtime would write of it.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_LOG_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_LOG_H_

#include <cstddef>
#include <cstdint>
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

// Where a log that was copied ends: the stamp of its last line and how many lines in a row have it.
struct LogPosition {
  std::string stamp;  // Empty: it has no line.
  uint32_t lines = 0;

  void Add(absl::string_view line_stamp);
  bool operator==(const LogPosition&) const = default;
};

// Of the end of a file; `tail` begins at any place in it.
LogPosition FindPosition(absl::string_view tail);

// "1475713029.669794202", for Docker's `since`: entries of that very moment are told again. Empty
// for no position.
std::string SinceOf(const LogPosition& position);

// Leaves out what is in the copy already, of a log that is read from SinceOf(position) on.
class LogResumer {
 public:
  explicit LogResumer(LogPosition position) : position_(position), skip_(position.lines) {}

  // False: it is there already. Else it is counted in.
  bool Take(const DockerLogEntry& entry);
  const LogPosition& position() const { return position_; }

 private:
  LogPosition position_;
  uint32_t skip_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_LOG_H_
