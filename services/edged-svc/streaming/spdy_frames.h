// The frames of SPDY/3.1 as bytes, both ways. Pure.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_FRAMES_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged::spdy {

// Names in lower case; values of one name that were sent several are joined with NUL, as on the
// wire.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first value of a name; empty: it is not there.
absl::string_view Find(const Headers& headers, absl::string_view name);

enum class Reset : uint32_t {
  kProtocolError = 1,
  kInvalidStream = 2,
  kRefusedStream = 3,
  kCancel = 5,
  kInternalError = 6,
};

struct SynStream {
  uint32_t stream = 0, associated = 0;
  uint8_t priority = 0;
  bool fin = false, unidirectional = false;
  Headers headers;
};
struct SynReply {
  uint32_t stream = 0;
  bool fin = false;
  Headers headers;
};
struct RstStream {
  uint32_t stream = 0;
  uint32_t status = 0;
};
struct Settings {
  std::vector<std::pair<uint32_t, uint32_t>> entries;  // Id (24 bits), value.
};
struct Ping {
  uint32_t id = 0;
};
struct GoAway {
  uint32_t last_good_stream = 0;
  uint32_t status = 0;
};
struct MoreHeaders {
  uint32_t stream = 0;
  bool fin = false;
  Headers headers;
};
struct WindowUpdate {
  uint32_t stream = 0;
  uint32_t delta = 0;
};
// Read: what is there of a frame, which may be up to 16 MiB long; `fin` is the last piece's.
struct Data {
  uint32_t stream = 0;
  bool fin = false;
  std::string bytes;
};
using Frame = std::variant<SynStream, SynReply, RstStream, Settings, Ping, GoAway, MoreHeaders,
                           WindowUpdate, Data>;

inline constexpr size_t kControlBytesMax = 64u << 10;  // Of one frame.
inline constexpr size_t kHeaderBytesMax = 64u << 10;   // Of one frame's, inflated.
inline constexpr size_t kHeadersMax = 128;             // Of one frame.
inline constexpr size_t kSettingsMax = 64;             // Of one frame.

// Not thread-safe. Holds what was put and not yet taken.
class FrameReader {
 public:
  FrameReader();
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  void Put(absl::string_view bytes);
  // nullopt: it takes more bytes. Control frames of types that SPDY does not know are passed over.
  // After an error (SPDY_FRAME_INVALID) the reader is of no use: headers are compressed as one.
  absl::StatusOr<std::optional<Frame>> Next();

 private:
  class Inflater;

  absl::StatusOr<std::optional<Frame>> Control(uint16_t type, uint8_t flags,
                                               absl::string_view payload);
  absl::StatusOr<Headers> ReadHeaders(absl::string_view block);
  Frame TakeData();

  std::string buffer_;
  size_t begin_ = 0;          // Of what is not taken yet.
  std::optional<Data> data_;  // The frame whose bytes come next.
  size_t data_left_ = 0;
  std::unique_ptr<Inflater> inflater_;
};

// Not thread-safe. Frames must be sent in the order in which they were written.
class FrameWriter {
 public:
  FrameWriter();
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // Ids are cut to 31 bits. `Data` holds at most 16 MiB - 1.
  std::string Write(const Frame& frame);

 private:
  class Deflater;

  std::string Compress(const Headers& headers);

  std::unique_ptr<Deflater> deflater_;
};

}  // namespace skerry::edged::spdy

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_FRAMES_H_
