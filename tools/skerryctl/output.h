// The one way in which commands print data: as a table for people, as JSON or YAML for programs.
#ifndef SKERRY_TOOLS_SKERRYCTL_OUTPUT_H_
#define SKERRY_TOOLS_SKERRYCTL_OUTPUT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace skerry::skerryctl {

enum class Format { kTable, kWide, kName, kJson, kYaml };

// "table", "wide", "name", "json", "yaml"; another text is kTable.
Format ParseFormat(absl::string_view text);

// `value` as JSON or YAML, or what `text` makes of it. What a service tells, in `value`, has no
// control characters afterwards; `text` sees to that by itself (table.h, printable.h).
std::string Render(Format format, const nlohmann::json& value,
                   absl::FunctionRef<std::string()> text);

// With all fields, by the names that protobuf's JSON has.
nlohmann::json JsonOf(const google::protobuf::Message& message);

// "512 B", "20 KiB", "12 MiB".
std::string BytesText(int64_t bytes);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_OUTPUT_H_
