// Arrays as parameters of PostgreSQL's statements, which libpqxx 6 has not: "$1::text[]".
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_ARRAYS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_ARRAYS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace skerry::devicecontroller {

// The array's text, element by element.
class PostgresArray {
 public:
  void AddText(absl::string_view text);    // Valid UTF-8 without NUL.
  void AddBytes(absl::string_view bytes);  // Of a bytea[].
  void AddNumber(int64_t number);
  void AddDouble(double number);  // Finite; exactly.
  void AddNull();
  std::string Text() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  void Begin() { text_ += text_.empty() ? '{' : ','; }

  std::string text_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_ARRAYS_H_
