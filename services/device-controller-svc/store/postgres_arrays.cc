#include "services/device-controller-svc/store/postgres_arrays.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace skerry::devicecontroller {

void PostgresArray::AddText(absl::string_view text) {
  Begin();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void PostgresArray::AddBytes(absl::string_view bytes) {
  Begin();
  absl::StrAppend(&text_, "\"\\\\x", absl::BytesToHexString(bytes), "\"");
}

void PostgresArray::AddNumber(int64_t number) {
  Begin();
  absl::StrAppend(&text_, number);
}

void PostgresArray::AddDouble(double number) {
  Begin();
  absl::StrAppendFormat(&text_, "%.17g", number);
}

void PostgresArray::AddNull() {
  Begin();
  text_ += "NULL";
}

}  // namespace skerry::devicecontroller
