#include "tools/skerryctl/bundle/archive.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::skerryctl {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kNameMax = 100;
constexpr size_t kPrefixMax = 155;
constexpr int kGzip = 16 + MAX_WBITS;

// The header of POSIX's ustar.
struct Header {
  char name[kNameMax];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char time[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[kPrefixMax];
  char rest[12];
};
static_assert(sizeof(Header) == kBlock);

// As many digits as the field has, and a NUL.
template <size_t N>
void Octal(char (&field)[N], uint64_t value) {
  field[N - 1] = '\0';
  for (size_t at = N - 1; at > 0; --at, value >>= 3) {
    field[at - 1] = static_cast<char>('0' + (value & 7));
  }
}

// Where `name` can be cut so that both parts fit; npos if it can't.
size_t CutOf(absl::string_view name) {
  for (size_t at = name.find('/'); at != absl::string_view::npos; at = name.find('/', at + 1)) {
    if (at > 0 && at <= kPrefixMax && name.size() - at - 1 <= kNameMax) return at;
  }
  return absl::string_view::npos;
}

absl::Status Name(absl::string_view name, Header& header) {
  const bool escapes =
      absl::StartsWith(name, "/") || absl::StrContains(absl::StrCat("/", name, "/"), "/../");
  const size_t cut = name.size() <= kNameMax ? 0 : CutOf(name);
  if (name.empty() || escapes || cut == absl::string_view::npos) {
    return InvalidField("name", name, "give a relative path of at most 100 bytes");
  }
  const absl::string_view last = cut == 0 ? name : name.substr(cut + 1);
  std::memcpy(header.prefix, name.data(), cut);
  std::memcpy(header.name, last.data(), last.size());
  return absl::OkStatus();
}

}  // namespace

absl::Status Archive::Add(absl::string_view name, absl::string_view content) {
  if (content.size() > bytes_max_ - bytes_) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat(name, ": ", content.size(), " bytes have no room in what is left of ",
                              bytes_max_))
        .Reason("BUNDLE_FULL")
        .Meta("name", name);
  }
  Header header = {};
  SKERRY_RETURN_IF_ERROR(Name(name, header));
  Octal(header.mode, 0600);
  Octal(header.uid, 0);
  Octal(header.gid, 0);
  Octal(header.size, content.size());
  Octal(header.time, static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixSeconds(time_))));
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  std::memset(header.checksum, ' ', sizeof(header.checksum));
  std::array<unsigned char, kBlock> bytes;
  std::memcpy(bytes.data(), &header, kBlock);
  unsigned sum = 0;
  for (unsigned char byte : bytes) sum += byte;
  Octal(header.checksum, sum);
  tar_.append(reinterpret_cast<const char*>(&header), kBlock);
  tar_.append(content.data(), content.size());
  tar_.append((kBlock - content.size() % kBlock) % kBlock, '\0');
  bytes_ += content.size();
  return absl::OkStatus();
}

absl::StatusOr<std::string> Archive::Finish() {
  tar_.append(2 * kBlock, '\0');
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return absl::InternalError("zlib can't be initialised");
  }
  std::string out(deflateBound(&stream, tar_.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(tar_.data());
  stream.avail_in = static_cast<uInt>(tar_.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) return absl::InternalError("zlib did not end");
  return out;
}

}  // namespace skerry::skerryctl
