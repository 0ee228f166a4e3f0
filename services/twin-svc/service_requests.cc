#include "services/twin-svc/service_requests.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/twin-svc/core/device_state.h"
#include "services/twin-svc/wire/write_id.h"

namespace skerry::twin {
namespace {

constexpr size_t kIdBytesMax = 128;
constexpr size_t kWriterBytesMax = 253;
constexpr size_t kPropertyBytes = 128;  // As a message, besides names and values.
constexpr size_t kMetadataBytesMax = 8u << 10;

using Metadata = google::protobuf::Map<std::string, std::string>;

absl::StatusOr<Value> ValueFrom(absl::string_view field, const std::string& value,
                                const Metadata& metadata, const std::string& writer,
                                absl::Time now) {
  size_t bytes = 0;
  for (const auto& [key, text] : metadata) bytes += key.size() + text.size();
  if (bytes > kMetadataBytesMax) {
    return InvalidField(absl::StrCat(field, ".metadata"), absl::StrCat(bytes, " bytes"),
                        absl::StrCat("give at most ", kMetadataBytesMax));
  }
  return Value{.value = value,
               .metadata = {metadata.begin(), metadata.end()},
               .writer = writer,
               .time = now};
}

absl::Status CheckWriter(const std::string& writer) {
  if (!writer.empty() && writer.size() <= kWriterBytesMax && writer != "cloud") {
    return absl::OkStatus();
  }
  return InvalidField("writer", writer.substr(0, kWriterBytesMax),
                      "give 1 to 253 bytes that say who writes, but not 'cloud'");
}

}  // namespace

absl::StatusOr<Write> WriteFrom(const v1::WriteTwinRequest& request, absl::Time now) {
  if (request.request_id().size() > kIdBytesMax) {
    return InvalidField("request_id", request.request_id().substr(0, kIdBytesMax),
                        absl::StrCat("give at most ", kIdBytesMax, " bytes"));
  }
  SKERRY_RETURN_IF_ERROR(CheckWriter(request.writer()));
  Write write{.id = WriteIdOf(request.request_id()),
              .expected_versions = {request.expected_versions().begin(),
                                    request.expected_versions().end()}};
  for (const auto& [name, desired] : request.desired()) {
    const std::string field = absl::StrCat("desired[", name.substr(0, kIdBytesMax), "]");
    switch (desired.to_case()) {
      case v1::WriteTwinRequest::Desired::kValue: {
        SKERRY_ASSIGN_OR_RETURN(
            write.desired[name],
            ValueFrom(field, desired.value(), desired.metadata(), request.writer(), now));
        break;
      }
      case v1::WriteTwinRequest::Desired::kCloud:
        if (!desired.cloud())
          return InvalidField(field + ".cloud", "false", "give true, or a value");
        write.desired[name] = std::nullopt;
        break;
      default:
        return InvalidField(field, "nothing", "give a value, or cloud");
    }
  }
  for (const auto& [name, reported] : request.reported()) {
    SKERRY_ASSIGN_OR_RETURN(
        write.reported[name],
        ValueFrom(absl::StrCat("reported[", name.substr(0, kIdBytesMax), "]"), reported.value(),
                  reported.metadata(), request.writer(), now));
  }
  for (const std::string& name : request.remove()) {
    if (write.desired.count(name) != 0 || write.reported.count(name) != 0) {
      return InvalidField("remove", name.substr(0, kIdBytesMax),
                          "write a property or remove it, in one request");
    }
    write.remove.insert(name);
  }
  return write;
}

absl::StatusOr<Write> StateFrom(const v1::ReportStateRequest& request, absl::Time now) {
  SKERRY_RETURN_IF_ERROR(CheckWriter(request.writer()));
  StateReport report{.state = request.state(),
                     .reason = request.reason(),
                     .writer = request.writer(),
                     .time = now};
  SKERRY_RETURN_IF_ERROR(CheckStateReport(report));
  return Write{.state = std::move(report)};
}

std::set<std::string> Growth::Add(const v1::WriteTwinRequest& request) {
  std::set<std::string> names(request.remove().begin(), request.remove().end());
  const auto add = [&](const std::string& name, size_t bytes) {
    names.insert(name);
    size_t& most = bytes_[name];
    most = std::max(most, kPropertyBytes + name.size() + 3 * request.writer().size() + bytes);
  };
  // A desired value is there as what holds, as the box's, and perhaps in a conflict.
  for (const auto& [name, desired] : request.desired()) add(name, 3 * desired.ByteSizeLong());
  for (const auto& [name, reported] : request.reported()) add(name, reported.ByteSizeLong());
  return names;
}

size_t Growth::bytes() const {
  size_t bytes = 0;
  for (const auto& [name, each] : bytes_) bytes += each;
  return bytes;
}

size_t Growth::bytes(const std::set<std::string>& properties) const {
  size_t bytes = 0;
  for (const std::string& name : properties) {
    const auto it = bytes_.find(name);
    if (it != bytes_.end()) bytes += it->second;
  }
  return bytes;
}

std::string KeyOf(const ReadingPosition& position) {
  return absl::StrCat(position.sequence, ".", position.index);
}

absl::StatusOr<ReadingPosition> PositionFrom(absl::string_view key) {
  const std::vector<absl::string_view> parts = absl::StrSplit(key, absl::MaxSplits('.', 1));
  ReadingPosition position;
  if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &position.sequence) &&
      absl::SimpleAtoi(parts[1], &position.index)) {
    return position;
  }
  return InvalidField("page_token", key.substr(0, kIdBytesMax),
                      "give one that this service answered with")
      .Reason("PAGE_TOKEN_INVALID");
}

}  // namespace skerry::twin
