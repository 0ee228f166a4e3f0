#include "services/lib/log/logger.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/log/json_text.h"

namespace skerry::log {
namespace {

// A hostile peer's text must not fill the disk.
constexpr size_t kTextMax = 4096;

const char* LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

void AppendText(std::string& out, absl::string_view text) {
  if (text.size() <= kTextMax) return AppendJsonString(out, text);
  AppendJsonString(out, absl::StrCat(text.substr(0, kTextMax), "…"));
}

void AppendNumber(std::string& out, double value) {
  if (!std::isfinite(value)) {  // JSON has no such numbers.
    AppendJsonString(out, std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    return;
  }
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

struct ValueWriter {
  std::string& out;
  void operator()(const std::string& value) const { AppendText(out, value); }
  void operator()(int64_t value) const { absl::StrAppend(&out, value); }
  void operator()(uint64_t value) const { absl::StrAppend(&out, value); }
  void operator()(double value) const { AppendNumber(out, value); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
};

// `,"key":value`
void AppendField(std::string& out, const Field& field) {
  out += ',';
  AppendJsonString(out, field.key());
  out += ':';
  std::visit(ValueWriter{out}, field.value());
}

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

}  // namespace

Field::Field(absl::string_view key, absl::Duration value)
    : key_(key), value_(absl::ToDoubleSeconds(value)) {}
Field::Field(absl::string_view key, absl::Time value) : key_(key), value_(Rfc3339(value)) {}

std::vector<Field> ErrorFields(const absl::Status& status) {
  std::vector<Field> fields = {{"code", absl::StatusCodeToString(status.code())},
                               {"error", status.message()}};
  ErrorInfo info = GetErrorInfo(status);
  if (!info.reason.empty()) fields.emplace_back("reason", info.reason);
  return fields;
}

struct Logger::Sink {
  Sink(absl::string_view component, Level level)
      : logger("", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    AppendJsonString(component_json, component);
    logger.set_level(ToSpdlog(level));
    logger.set_pattern("%v");
  }

  std::string component_json;
  spdlog::logger logger;
};

Logger Logger::Create(absl::string_view component, Level level) {
  return Logger(std::make_shared<Sink>(component, level));
}

Logger Logger::Null() { return Logger(nullptr); }

Logger Logger::With(Fields fields) const {
  Logger bound = *this;
  if (sink_ == nullptr) return bound;
  for (const Field& field : fields) AppendField(bound.bound_, field);
  return bound;
}

void Logger::Debug(absl::string_view message, Fields fields) const {
  Write(Level::kDebug, message, fields.begin(), fields.size(), nullptr);
}
void Logger::Info(absl::string_view message, Fields fields) const {
  Write(Level::kInfo, message, fields.begin(), fields.size(), nullptr);
}
void Logger::Info(absl::string_view message, const std::vector<Field>& fields) const {
  Write(Level::kInfo, message, fields.data(), fields.size(), nullptr);
}
void Logger::Warning(absl::string_view message, Fields fields) const {
  Write(Level::kWarning, message, fields.begin(), fields.size(), nullptr);
}
void Logger::Error(absl::string_view message, Fields fields) const {
  Write(Level::kError, message, fields.begin(), fields.size(), nullptr);
}
void Logger::Warning(absl::string_view message, const absl::Status& status, Fields fields) const {
  Write(Level::kWarning, message, fields.begin(), fields.size(), &status);
}
void Logger::Error(absl::string_view message, const absl::Status& status, Fields fields) const {
  Write(Level::kError, message, fields.begin(), fields.size(), &status);
}

void Logger::Write(Level level, absl::string_view message, const Field* fields, size_t count,
                   const absl::Status* status) const {
  if (sink_ == nullptr || !sink_->logger.should_log(ToSpdlog(level))) return;
  std::string line =
      absl::StrCat("{\"time\":\"", Rfc3339(absl::Now()), "\",\"level\":\"", LevelName(level),
                   "\",\"component\":", sink_->component_json, ",\"msg\":");
  AppendText(line, message);
  line += bound_;
  for (size_t i = 0; i < count; ++i) AppendField(line, fields[i]);
  if (status != nullptr) {
    for (const Field& field : ErrorFields(*status)) AppendField(line, field);
  }
  line += '}';
  sink_->logger.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

absl::Status ParseLevel(absl::string_view text, Level& level) {
  for (Level candidate : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (text == LevelName(candidate)) {
      level = candidate;
      return absl::OkStatus();
    }
  }
  return InvalidField("log.level", text, "give debug, info, warning or error");
}

}  // namespace skerry::log
