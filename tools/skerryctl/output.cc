#include "tools/skerryctl/output.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace skerry::skerryctl {
namespace {

// A text that YAML 1.1 and 1.2 read as that text without quotes. Others are quoted: too many rather
// than one that becomes a number, a date or a truth.
bool IsPlain(const std::string& text) {
  if (text.empty() || (!absl::ascii_isalpha(text[0]) && text[0] != '/')) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '_' && c != '.' && c != '/') return false;
  }
  const std::string lower = absl::AsciiStrToLower(text);
  for (const char* taken : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (lower == taken) return false;
  }
  return true;
}

void Emit(const nlohmann::json& value, YAML::Emitter& out) {
  auto text = [&out](const std::string& s) {
    IsPlain(s) ? out << s : out << YAML::DoubleQuoted << s;
  };
  if (value.is_object()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : value.items()) {
      out << YAML::Key;
      text(key);
      out << YAML::Value;
      Emit(member, out);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const nlohmann::json& member : value) Emit(member, out);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    text(value.get_ref<const std::string&>());
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();  // Truths and numbers are spelt as in JSON.
  }
}

// JSON escapes what is below U+0020; a terminal obeys U+007F to U+009F, too.
std::string EscapeControls(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0x7f) {
      out += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
      absl::StrAppend(&out, "\\u00", absl::Hex(next, absl::kZeroPad2));
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

Format ParseFormat(absl::string_view text) {
  if (text == "json") return Format::kJson;
  if (text == "yaml") return Format::kYaml;
  if (text == "wide") return Format::kWide;
  if (text == "name") return Format::kName;
  return Format::kTable;
}

std::string Render(Format format, const nlohmann::json& value,
                   absl::FunctionRef<std::string()> text) {
  if (format != Format::kJson && format != Format::kYaml) return text();
  const std::string json =
      value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);  // Valid UTF-8.
  if (format == Format::kJson) return EscapeControls(json) + "\n";
  YAML::Emitter out;
  Emit(nlohmann::json::parse(json), out);
  return EscapeControls(out.c_str()) + "\n";
}

nlohmann::json JsonOf(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  (void)google::protobuf::util::MessageToJsonString(message, &text, options);
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  return json.is_discarded() ? nlohmann::json::object() : json;
}

std::string BytesText(int64_t bytes) {
  if (bytes < 10 << 10) return absl::StrCat(bytes, " B");
  if (bytes < 10 << 20) return absl::StrCat(bytes >> 10, " KiB");
  return absl::StrCat(bytes >> 20, " MiB");
}

}  // namespace skerry::skerryctl
