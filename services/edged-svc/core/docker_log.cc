#include "services/edged-svc/core/docker_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/cri_log.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr size_t kHeaderBytes = 8;
constexpr size_t kFrameBytesMax = 1u << 20;   // Docker's own are of 32 KiB.
constexpr size_t kMessageBytesMax = 4 << 10;  // Of what Docker says itself.
// Docker cuts lines: "moby/daemon/logger/copier.go", its buffer of 16 KiB.
constexpr size_t kTextBytesMax = 16 << 10;
constexpr size_t kStampBytesMax = 40;
// What is behind an entry in Docker's file is at most so much older; copies that are resumed miss
// what a clock that was set back further has stamped.
constexpr absl::Duration kDisorderMax = absl::Seconds(10);

absl::Status Unreadable(absl::string_view why) {
  return Error(absl::StatusCode::kDataLoss, absl::StrCat("Docker's stream can't be read: ", why))
      .Reason("DOCKER_STREAM_INVALID");
}

// "2016-10-06T00:17:09.669794202Z ", which Docker writes before each entry.
bool BeginsWithStamp(absl::string_view text) {
  constexpr absl::string_view kForm = "0000-00-00T00:00:00.000000000Z ";
  if (text.size() < kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0' ? !absl::ascii_isdigit(static_cast<unsigned char>(text[i]))
                        : text[i] != kForm[i])
      return false;
  }
  return true;
}

// Of the entry that `rest` begins with, whose text begins at `text`; 0: more has to come. A line
// that Docker has cut has no newline: the next entry's stamp follows, at kTextBytesMax, or a little
// later where what is no UTF-8 (a character that was cut, too) became U+FFFD.
absl::StatusOr<size_t> TerminalEntrySize(absl::string_view rest, size_t text) {
  const size_t cut = text + kTextBytesMax;
  const size_t newline = rest.find('\n');
  if (newline != absl::string_view::npos && newline <= cut) return newline + 1;
  const size_t last = std::min(newline, text + 3 * kTextBytesMax);
  for (size_t i = cut; i <= last && i < rest.size(); ++i) {
    if (BeginsWithStamp(rest.substr(i))) return i;
  }
  if (newline <= last) return newline + 1;
  if (rest.size() > last + kStampBytesMax) return Unreadable("a line of a terminal has no end");
  return 0;
}

// `message`: stamp, blank, text, and a newline where the line ends.
absl::Status TakeMessage(bool from_stderr, absl::string_view message,
                         absl::FunctionRef<void(const DockerLogEntry&)> take) {
  const size_t blank = message.substr(0, kStampBytesMax).find(' ');
  if (blank == absl::string_view::npos) return Unreadable("an entry of the log has no time");
  DockerLogEntry entry{from_stderr, message.substr(0, blank), message.substr(blank + 1), true};
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, entry.stamp, &time, nullptr))
    return Unreadable("an entry of the log has no time");
  if (!entry.text.empty() && entry.text.back() == '\n') {
    entry.text.remove_suffix(1);
    entry.partial = false;
  }
  take(entry);
  return absl::OkStatus();
}

}  // namespace

absl::Status DockerFrames::Put(absl::string_view bytes,
                               absl::FunctionRef<void(const Piece&)> take) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      const size_t wanted = std::min(kHeaderBytes - header_.size(), bytes.size());
      absl::StrAppend(&header_, bytes.substr(0, wanted));
      bytes.remove_prefix(wanted);
      if (header_.size() < kHeaderBytes) return absl::OkStatus();
      kind_ = static_cast<uint8_t>(header_[0]);
      for (size_t i = 4; i < kHeaderBytes; ++i)
        left_ = left_ << 8 | static_cast<uint8_t>(header_[i]);
      header_.clear();
      if (kind_ > 3) return Unreadable(absl::StrCat("a frame of kind ", kind_));
      if (left_ > kFrameBytesMax)
        return Unreadable(absl::StrCat("a frame of ", left_, " bytes, at most ", kFrameBytesMax));
      continue;
    }
    const absl::string_view part = bytes.substr(0, left_);
    bytes.remove_prefix(part.size());
    left_ -= part.size();
    if (kind_ == 3) return Unreadable(part.substr(0, kMessageBytesMax));
    take({kind_ == 2, part, left_ == 0});
  }
  return absl::OkStatus();
}

absl::Status DockerLogReader::Put(absl::string_view bytes,
                                  absl::FunctionRef<void(const DockerLogEntry&)> take) {
  if (tty_) return PutTerminal(bytes, take);
  absl::Status status;
  const absl::Status framed = frames_.Put(bytes, [&](const DockerFrames::Piece& piece) {
    if (!status.ok()) return;
    if (entry_.empty() && piece.ends_frame) {
      status = TakeMessage(piece.from_stderr, piece.bytes, take);
      return;
    }
    absl::StrAppend(&entry_, piece.bytes);
    if (!piece.ends_frame) return;
    status = TakeMessage(piece.from_stderr, entry_, take);
    entry_.clear();
  });
  return status.ok() ? framed : status;
}

absl::Status DockerLogReader::PutTerminal(absl::string_view bytes,
                                          absl::FunctionRef<void(const DockerLogEntry&)> take) {
  absl::StrAppend(&entry_, bytes);
  absl::string_view rest = entry_;
  while (!rest.empty()) {
    const size_t blank = rest.substr(0, kStampBytesMax).find(' ');
    if (blank == absl::string_view::npos) {
      if (rest.size() >= kStampBytesMax) return Unreadable("an entry of the log has no time");
      break;
    }
    SKERRY_ASSIGN_OR_RETURN(const size_t size, TerminalEntrySize(rest, blank + 1));
    if (size == 0) break;
    SKERRY_RETURN_IF_ERROR(TakeMessage(false, rest.substr(0, size), take));
    rest.remove_prefix(size);
  }
  entry_.erase(0, entry_.size() - rest.size());
  return absl::OkStatus();
}

std::string ToCriLine(const DockerLogEntry& entry) {
  return absl::StrCat(entry.stamp, entry.from_stderr ? " stderr " : " stdout ",
                      entry.partial ? "P " : "F ", entry.text, "\n");
}

void LogPosition::Add(absl::string_view line_stamp, absl::string_view line) {
  stamp = std::string(line_stamp);
  recent.push_back(absl::HashOf(line));
  if (recent.size() > kRecentMax) recent.pop_front();
}

LogPosition FindPosition(absl::string_view tail) {
  LogPosition position;
  while (!tail.empty()) {
    const size_t newline = tail.find('\n');
    if (newline == absl::string_view::npos) break;  // Torn: it was not written whole.
    const absl::string_view line = tail.substr(0, newline);
    const std::optional<CriLogLine> parsed = ParseCriLogLine(line);
    if (parsed.has_value()) position.Add(parsed->stamp, line);
    tail.remove_prefix(newline + 1);
  }
  return position;
}

std::string SinceOf(const LogPosition& position) {
  absl::Time time;
  if (position.empty() || !absl::ParseTime(absl::RFC3339_full, position.stamp, &time, nullptr))
    return "";
  const int64_t nanos = std::max<int64_t>(0, absl::ToUnixNanos(time - kDisorderMax));
  return absl::StrFormat("%d.%09d", nanos / 1'000'000'000, nanos % 1'000'000'000);
}

LogResumer::LogResumer(LogPosition position, Begin begin)
    : position_(std::move(position)), begin_(begin), found_(position_.empty()) {
  if (found_) return;
  last_ = position_.recent.back();
  left_ = static_cast<size_t>(std::count(position_.recent.begin(), position_.recent.end(), last_));
}

bool LogResumer::Take(const DockerLogEntry& entry) {
  std::string line = ToCriLine(entry);
  line.pop_back();
  if (!found_ && begin_ == Begin::kNewer) {
    // Both are of one length and zone: Docker writes all nine digits, in UTC.
    if (entry.stamp <= position_.stamp) return false;
    found_ = true;
  }
  if (!found_) {
    if (absl::HashOf(absl::string_view(line)) == last_) found_ = --left_ == 0;
    return false;
  }
  position_.Add(entry.stamp, line);
  return true;
}

}  // namespace skerry::edged
