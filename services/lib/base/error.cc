#include "services/lib/base/error.h"

#include <cstdint>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace skerry {
namespace {

// Inside the process the info travels as length-prefixed strings: reason, then key and value pairs.
constexpr char kPayloadUrl[] = "skerry.io/ErrorInfo";

void AppendField(std::string& out, absl::string_view value) {
  absl::StrAppend(&out, value.size(), ":", value);
}

std::optional<std::string> TakeField(absl::string_view& in) {
  size_t colon = in.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  size_t length = 0;
  for (char c : in.substr(0, colon)) length = length * 10 + static_cast<size_t>(c - '0');
  in.remove_prefix(colon + 1);
  if (length > in.size()) return std::nullopt;
  std::string value(in.substr(0, length));
  in.remove_prefix(length);
  return value;
}

}  // namespace

absl::Status Error::ToStatus() const {
  absl::Status status(code_, message_);
  if (!status.ok() && !(info_.reason.empty() && info_.metadata.empty()))
    SetErrorInfo(status, info_);
  return status;
}

ErrorInfo GetErrorInfo(const absl::Status& status) {
  ErrorInfo info;
  auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return info;
  std::string text(*payload);
  absl::string_view in = text;
  info.reason = TakeField(in).value_or("");
  while (!in.empty()) {
    std::optional<std::string> key = TakeField(in);
    std::optional<std::string> value = TakeField(in);
    if (!key.has_value() || !value.has_value()) break;
    info.metadata[*key] = *value;
  }
  return info;
}

void SetErrorInfo(absl::Status& status, const ErrorInfo& info) {
  std::string payload;
  AppendField(payload, info.reason);
  for (const auto& [key, value] : info.metadata) {
    AppendField(payload, key);
    AppendField(payload, value);
  }
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

Error InvalidField(absl::string_view field, absl::string_view value, absl::string_view fix) {
  constexpr size_t kShown = 200;  // A hostile value must not fill the logs.
  std::string shown(value.substr(0, kShown));
  if (value.size() > kShown) absl::StrAppend(&shown, "…");
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("field '", field, "' has invalid value '", shown, "': ", fix))
      .Reason("INVALID_FIELD")
      .Meta("field", field)
      .Meta("value", shown);
}

}  // namespace skerry
