#include "services/edged-svc/streaming/spdy_frames.h"

#include <zlib.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/streaming/spdy_dictionary.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged::spdy {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr uint32_t kIdMask = 0x7fffffff;
constexpr uint8_t kFin = 1, kUnidirectional = 2;

enum Type : uint16_t {
  kSynStream = 1,
  kSynReply = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kHeaders = 8,
  kWindowUpdate = 9,
};

absl::Status Invalid(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("not SPDY/3.1: ", why))
      .Reason("SPDY_FRAME_INVALID");
}

uint32_t Number(absl::string_view bytes, size_t at, size_t size = 4) {
  uint32_t number = 0;
  for (size_t i = at; i < at + size; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

void Append(std::string& to, uint32_t number, size_t size = 4) {
  for (size_t i = size; i-- > 0;) to.push_back(static_cast<char>(number >> (8 * i)));
}

Bytef* Bytes(absl::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

std::string Control(Type type, uint8_t flags, absl::string_view payload) {
  std::string frame;
  frame.reserve(kHeadBytes + payload.size());
  Append(frame, 0x80030000u | type);
  Append(frame, static_cast<uint32_t>(flags) << 24 | static_cast<uint32_t>(payload.size()));
  frame.append(payload.data(), payload.size());
  return frame;
}

std::string Numbers(uint32_t first, uint32_t second) {
  std::string payload;
  Append(payload, first);
  Append(payload, second);
  return payload;
}

absl::StatusOr<Settings> ReadSettings(absl::string_view payload) {
  if (payload.size() < 4) return Invalid("a SETTINGS frame without a count");
  const uint32_t count = Number(payload, 0);
  if (count > kSettingsMax || payload.size() != 4 + count * size_t{8})
    return Invalid(absl::StrCat("a SETTINGS frame of ", count, " entries in ", payload.size(),
                                " bytes; at most ", kSettingsMax));
  Settings settings;
  for (size_t at = 4; at < payload.size(); at += 8)
    settings.entries.emplace_back(Number(payload, at + 1, 3), Number(payload, at + 4));
  return settings;
}

}  // namespace

absl::string_view Find(const Headers& headers, absl::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return absl::string_view(value).substr(0, value.find('\0'));
  }
  return "";
}

// ---- Reading.

class FrameReader::Inflater {
 public:
  Inflater() { SKERRY_CHECK(inflateInit(&stream_) == Z_OK); }
  ~Inflater() { inflateEnd(&stream_); }

  absl::StatusOr<std::string> Inflate(absl::string_view block) {
    std::string out(kHeaderBytesMax + 1, '\0');
    stream_.next_in = Bytes(block);
    stream_.avail_in = static_cast<uInt>(block.size());
    stream_.next_out = Bytes(out);
    stream_.avail_out = static_cast<uInt>(out.size());
    int result = inflate(&stream_, Z_SYNC_FLUSH);
    if (result == Z_NEED_DICT) {
      const std::string& dictionary = HeaderDictionary();
      if (inflateSetDictionary(&stream_, Bytes(dictionary), static_cast<uInt>(dictionary.size())) !=
          Z_OK)
        return Invalid("headers are compressed with another dictionary than SPDY/3's");
      result = inflate(&stream_, Z_SYNC_FLUSH);
    }
    if (stream_.avail_out == 0)
      return Invalid(absl::StrCat("headers of more than ", kHeaderBytesMax, " bytes"));
    if ((result != Z_OK && result != Z_BUF_ERROR) || stream_.avail_in != 0)
      return Invalid("headers that zlib can't inflate");
    out.erase(out.size() - stream_.avail_out);
    return out;
  }

 private:
  z_stream stream_ = {};
};

FrameReader::FrameReader() = default;
FrameReader::~FrameReader() = default;

void FrameReader::Put(absl::string_view bytes) {
  buffer_.erase(0, std::exchange(begin_, 0));
  buffer_.append(bytes.data(), bytes.size());
}

absl::StatusOr<std::optional<Frame>> FrameReader::Next() {
  while (true) {
    const absl::string_view rest = absl::string_view(buffer_).substr(begin_);
    if (data_.has_value()) {
      if (rest.empty() && data_left_ > 0) return std::optional<Frame>();
      return std::optional<Frame>(TakeData());
    }
    if (rest.size() < kHeadBytes) return std::optional<Frame>();
    const uint32_t first = Number(rest, 0), size = Number(rest, 5, 3);
    const uint8_t flags = static_cast<uint8_t>(rest[4]);
    if ((first >> 31) == 0) {
      if (first == 0) return Invalid("data of stream 0");
      begin_ += kHeadBytes;
      data_ = Data{.stream = first, .fin = (flags & kFin) != 0};
      data_left_ = size;
      continue;
    }
    if (const uint32_t version = first >> 16 & 0x7fff; version != 3)
      return Invalid(absl::StrCat("a frame of version ", version));
    if (size > kControlBytesMax)
      return Invalid(
          absl::StrCat("a control frame of ", size, " bytes; at most ", kControlBytesMax));
    if (rest.size() < kHeadBytes + size) return std::optional<Frame>();
    begin_ += kHeadBytes + size;
    SKERRY_ASSIGN_OR_RETURN(
        std::optional<Frame> frame,
        Control(static_cast<uint16_t>(first & 0xffff), flags, rest.substr(kHeadBytes, size)));
    if (frame.has_value()) return frame;
  }
}

Frame FrameReader::TakeData() {
  Data piece{.stream = data_->stream};
  const size_t size = std::min(data_left_, buffer_.size() - begin_);
  piece.bytes = buffer_.substr(begin_, size);
  begin_ += size;
  data_left_ -= size;
  if (data_left_ == 0) {
    piece.fin = data_->fin;
    data_.reset();
  }
  return piece;
}

absl::StatusOr<std::optional<Frame>> FrameReader::Control(uint16_t type, uint8_t flags,
                                                          absl::string_view payload) {
  const auto wants = [&](size_t size) { return payload.size() >= size; };
  const auto id = [&](size_t at) { return Number(payload, at) & kIdMask; };
  const bool fin = (flags & kFin) != 0;
  std::optional<Frame> frame;
  switch (type) {
    case kSynStream: {
      if (!wants(10)) return Invalid("a short SYN_STREAM");
      SKERRY_ASSIGN_OR_RETURN(Headers headers, ReadHeaders(payload.substr(10)));
      frame = SynStream{.stream = id(0),
                        .associated = id(4),
                        .priority = static_cast<uint8_t>(static_cast<uint8_t>(payload[8]) >> 5),
                        .fin = fin,
                        .unidirectional = (flags & kUnidirectional) != 0,
                        .headers = std::move(headers)};
      break;
    }
    case kSynReply: {
      if (!wants(4)) return Invalid("a short SYN_REPLY");
      SKERRY_ASSIGN_OR_RETURN(Headers headers, ReadHeaders(payload.substr(4)));
      frame = SynReply{.stream = id(0), .fin = fin, .headers = std::move(headers)};
      break;
    }
    case kHeaders: {
      if (!wants(4)) return Invalid("a short HEADERS");
      SKERRY_ASSIGN_OR_RETURN(Headers headers, ReadHeaders(payload.substr(4)));
      frame = MoreHeaders{.stream = id(0), .fin = fin, .headers = std::move(headers)};
      break;
    }
    case kRstStream:
      if (payload.size() != 8) return Invalid("an RST_STREAM that is not 8 bytes long");
      frame = RstStream{.stream = id(0), .status = Number(payload, 4)};
      break;
    case kSettings: {
      SKERRY_ASSIGN_OR_RETURN(Settings settings, ReadSettings(payload));
      frame = std::move(settings);
      break;
    }
    case kPing:
      if (payload.size() != 4) return Invalid("a PING that is not 4 bytes long");
      frame = Ping{.id = Number(payload, 0)};
      break;
    case kGoAway:
      if (payload.size() != 8) return Invalid("a GOAWAY that is not 8 bytes long");
      frame = GoAway{.last_good_stream = id(0), .status = Number(payload, 4)};
      break;
    case kWindowUpdate:
      if (payload.size() != 8) return Invalid("a WINDOW_UPDATE that is not 8 bytes long");
      frame = WindowUpdate{.stream = id(0), .delta = id(4)};
      break;
    default:
      break;
  }
  return frame;
}

absl::StatusOr<Headers> FrameReader::ReadHeaders(absl::string_view block) {
  if (inflater_ == nullptr) inflater_ = std::make_unique<Inflater>();
  SKERRY_ASSIGN_OR_RETURN(const std::string text, inflater_->Inflate(block));
  size_t at = 0;
  const auto take = [&]() -> std::optional<std::string> {
    if (text.size() - at < 4) return std::nullopt;
    const size_t size = Number(text, at);
    if (text.size() - at - 4 < size) return std::nullopt;
    at += 4 + size;
    return text.substr(at - size, size);
  };
  if (text.size() < 4) return Invalid("headers without a count");
  const uint32_t count = Number(text, 0);
  at = 4;
  if (count > kHeadersMax) return Invalid(absl::StrCat(count, " headers; at most ", kHeadersMax));
  Headers headers;
  for (uint32_t i = 0; i < count; ++i) {
    std::optional<std::string> name = take(), value;
    if (name.has_value()) value = take();
    if (!value.has_value()) return Invalid("headers that end early");
    headers.emplace_back(*std::move(name), *std::move(value));
  }
  if (at != text.size()) return Invalid("bytes behind the headers");
  return headers;
}

// ---- Writing.

class FrameWriter::Deflater {
 public:
  // The dictionary fits into a window of 2 KiB; what headers say here repeats itself in it. So it
  // is 10 KiB a connection, in place of 256.
  static constexpr int kWindowBits = 11, kMemoryLevel = 1;

  Deflater() {
    SKERRY_CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits,
                              kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK);
    const std::string& dictionary = HeaderDictionary();
    SKERRY_CHECK(deflateSetDictionary(&stream_, Bytes(dictionary),
                                      static_cast<uInt>(dictionary.size())) == Z_OK);
  }
  ~Deflater() { deflateEnd(&stream_); }

  std::string Deflate(absl::string_view text) {
    std::string out;
    char piece[1024];
    stream_.next_in = Bytes(text);
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(piece);
      stream_.avail_out = sizeof(piece);
      deflate(&stream_, Z_SYNC_FLUSH);
      out.append(piece, sizeof(piece) - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return out;
  }

 private:
  z_stream stream_ = {};
};

FrameWriter::FrameWriter() = default;
FrameWriter::~FrameWriter() = default;

std::string FrameWriter::Compress(const Headers& headers) {
  std::string text;
  Append(text, static_cast<uint32_t>(headers.size()));
  for (const auto& [name, value] : headers) {
    Append(text, static_cast<uint32_t>(name.size()));
    text += name;
    Append(text, static_cast<uint32_t>(value.size()));
    text += value;
  }
  if (deflater_ == nullptr) deflater_ = std::make_unique<Deflater>();
  return deflater_->Deflate(text);
}

std::string FrameWriter::Write(const Frame& frame) {
  struct Writer {
    FrameWriter& self;

    std::string operator()(const SynStream& f) {
      std::string payload = Numbers(f.stream & kIdMask, f.associated & kIdMask);
      payload.push_back(static_cast<char>(f.priority << 5));
      payload.push_back('\0');
      payload += self.Compress(f.headers);
      return spdy::Control(
          kSynStream,
          static_cast<uint8_t>((f.fin ? kFin : 0) | (f.unidirectional ? kUnidirectional : 0)),
          payload);
    }
    std::string Headed(Type type, uint32_t stream, bool fin, const Headers& headers) {
      std::string payload;
      Append(payload, stream & kIdMask);
      payload += self.Compress(headers);
      return spdy::Control(type, fin ? kFin : 0, payload);
    }
    std::string operator()(const SynReply& f) {
      return Headed(kSynReply, f.stream, f.fin, f.headers);
    }
    std::string operator()(const MoreHeaders& f) {
      return Headed(kHeaders, f.stream, f.fin, f.headers);
    }
    std::string operator()(const RstStream& f) {
      return spdy::Control(kRstStream, 0, Numbers(f.stream & kIdMask, f.status));
    }
    std::string operator()(const Settings& f) {
      std::string payload;
      Append(payload, static_cast<uint32_t>(f.entries.size()));
      for (const auto& [id, value] : f.entries) payload += Numbers(id & 0xffffff, value);
      return spdy::Control(kSettings, 0, payload);
    }
    std::string operator()(const Ping& f) {
      std::string payload;
      Append(payload, f.id);
      return spdy::Control(kPing, 0, payload);
    }
    std::string operator()(const GoAway& f) {
      return spdy::Control(kGoAway, 0, Numbers(f.last_good_stream & kIdMask, f.status));
    }
    std::string operator()(const WindowUpdate& f) {
      return spdy::Control(kWindowUpdate, 0, Numbers(f.stream & kIdMask, f.delta & kIdMask));
    }
    std::string operator()(const Data& f) {
      std::string bytes;
      bytes.reserve(kHeadBytes + f.bytes.size());
      Append(bytes, f.stream & kIdMask);
      Append(bytes,
             static_cast<uint32_t>(f.fin ? kFin : 0) << 24 | static_cast<uint32_t>(f.bytes.size()));
      return bytes + f.bytes;
    }
  };
  return std::visit(Writer{*this}, frame);
}

}  // namespace skerry::edged::spdy
