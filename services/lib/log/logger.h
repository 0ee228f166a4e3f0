// Structured logs: one JSON object per line on standard error, over spdlog.
#ifndef SKERRY_SERVICES_LIB_LOG_LOGGER_H_
#define SKERRY_SERVICES_LIB_LOG_LOGGER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::log {

// error: someone must act. warning: degraded. info: a state changed. debug: for developers.
enum class Level { kDebug, kInfo, kWarning, kError };

// One snake_case key and its value. The same key means the same thing everywhere: node, pod,
// device, type, key, revision, code, reason, error.
class Field {
 public:
  using Value = std::variant<std::string, int64_t, uint64_t, double, bool>;

  Field(absl::string_view key, absl::string_view value) : key_(key), value_(std::string(value)) {}
  Field(absl::string_view key, const char* value) : key_(key), value_(std::string(value)) {}
  Field(absl::string_view key, const std::string& value) : key_(key), value_(value) {}
  Field(absl::string_view key, bool value) : key_(key), value_(value) {}
  Field(absl::string_view key, int value) : key_(key), value_(static_cast<int64_t>(value)) {}
  Field(absl::string_view key, int64_t value) : key_(key), value_(value) {}
  Field(absl::string_view key, uint64_t value) : key_(key), value_(value) {}
  Field(absl::string_view key, double value) : key_(key), value_(value) {}
  Field(absl::string_view key, absl::Duration value);  // Seconds.
  Field(absl::string_view key, absl::Time value);      // RFC 3339.

  const std::string& key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  std::string key_;
  Value value_;
};

// The fields of an error: "code", "error" and, where it has one, "reason".
std::vector<Field> ErrorFields(const absl::Status& status);

using Fields = std::initializer_list<Field>;

// Cheap to copy. Any thread may call it. Messages are constants; what varies goes into fields.
// Never log payloads or credentials.
class Logger {
 public:
  // A logger whose lines carry "component". Lines below `level` are dropped.
  static Logger Create(absl::string_view component, Level level);
  // Drops everything; for tests.
  static Logger Null();

  // A logger that adds `fields` to every line.
  Logger With(Fields fields) const;

  void Debug(absl::string_view message, Fields fields = {}) const;
  void Info(absl::string_view message, Fields fields = {}) const;
  void Warning(absl::string_view message, Fields fields = {}) const;
  void Error(absl::string_view message, Fields fields = {}) const;
  // For fields that are known at run time only.
  void Info(absl::string_view message, const std::vector<Field>& fields) const;
  // With the fields of `status` besides.
  void Warning(absl::string_view message, const absl::Status& status, Fields fields = {}) const;
  void Error(absl::string_view message, const absl::Status& status, Fields fields = {}) const;

 private:
  struct Sink;
  explicit Logger(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void Write(Level level, absl::string_view message, const Field* fields, size_t count,
             const absl::Status* status) const;

  std::shared_ptr<Sink> sink_;  // Null drops everything.
  std::string bound_;           // Fields of With(), already rendered as JSON members.
};

// "debug", "info", "warning", "error".
absl::Status ParseLevel(absl::string_view text, Level& level);

}  // namespace skerry::log

#endif  // SKERRY_SERVICES_LIB_LOG_LOGGER_H_
