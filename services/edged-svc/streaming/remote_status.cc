#include "services/edged-svc/streaming/remote_status.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

using Json = nlohmann::ordered_json;

// Said twice and escaped, it still fits into one chunk.
constexpr size_t kReasonBytesMax = 2048;

std::string Render(const Json& status) {
  return status.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<uint16_t> Size(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_number_unsigned()) return std::nullopt;
  const uint64_t size = it->get<uint64_t>();
  if (size > std::numeric_limits<uint16_t>::max()) return std::nullopt;
  return static_cast<uint16_t>(size);
}

}  // namespace

std::string ExitStatus(StatusFormat format, int exit_code) {
  if (exit_code == 0) {
    if (format == StatusFormat::kWords) return "";
    return Render({{"metadata", Json::object()}, {"status", "Success"}});
  }
  const std::string message =
      absl::StrCat("command terminated with non-zero exit code: exit status ", exit_code);
  if (format == StatusFormat::kWords) return message;
  const Json cause = {{"reason", "ExitCode"}, {"message", absl::StrCat(exit_code)}};
  return Render({{"metadata", Json::object()},
                 {"status", "Failure"},
                 {"message", message},
                 {"reason", "NonZeroExitCode"},
                 {"details", {{"causes", Json::array({cause})}}}});
}

std::string FailureStatus(StatusFormat format, absl::string_view doing, const absl::Status& why) {
  const std::string error = absl::StrCat(doing, ": ", why.message().substr(0, kReasonBytesMax));
  const std::string message = absl::StrCat("Internal error occurred: ", error);
  if (format == StatusFormat::kWords) return message;
  const Json cause = {{"message", error}};
  return Render({{"metadata", Json::object()},
                 {"status", "Failure"},
                 {"message", message},
                 {"reason", "InternalError"},
                 {"details", {{"causes", Json::array({cause})}}},
                 {"code", 500}});
}

absl::StatusOr<std::vector<TerminalSize>> ResizeReader::Put(absl::string_view bytes) {
  absl::StrAppend(&buffer_, bytes);
  std::vector<TerminalSize> sizes;
  size_t begin = 0;
  for (size_t end; (end = buffer_.find('}', begin)) != std::string::npos; begin = end + 1) {
    const std::string text = buffer_.substr(begin, end + 1 - begin);
    const Json object = text.size() > kBytesMax ? Json() : Json::parse(text, nullptr, false);
    std::optional<uint16_t> width, height;
    if (object.is_object()) {
      width = Size(object, "Width");
      height = Size(object, "Height");
    }
    if (!width.has_value() || !height.has_value()) {
      return Error(InvalidField("resize", text,
                                "must be {\"Width\":80,\"Height\":24}, each from 0 to 65535"))
          .Reason("RESIZE_INVALID");
    }
    sizes.push_back({*width, *height});
  }
  buffer_.erase(0, begin);
  if (buffer_.size() > kBytesMax) {
    return Error(InvalidField("resize", buffer_, "must end within 1024 bytes"))
        .Reason("RESIZE_INVALID");
  }
  return sizes;
}

}  // namespace skerry::edged
