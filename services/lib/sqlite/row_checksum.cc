#include "services/lib/sqlite/row_checksum.h"

#include <sqlite3.h>
#include <zlib.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/handle.h"
#include "services/lib/sqlite/sqlite_errors.h"

namespace skerry::sqlite {
namespace {

uLong Add(uLong sum, const void* bytes, size_t size) {
  return crc32_z(sum, static_cast<const Bytef*>(bytes), size);
}

// Type and size go in with each value, so that none passes for two.
uLong AddValue(uLong sum, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  int64_t number = 0;
  const void* bytes = nullptr;
  if (type == SQLITE_INTEGER) {
    number = sqlite3_value_int64(value);
  } else if (type != SQLITE_NULL) {
    bytes = sqlite3_value_blob(value);
    number = sqlite3_value_bytes(value);
  }
  const int64_t head[2] = {type, number};
  sum = Add(sum, head, sizeof head);
  return bytes == nullptr ? sum : Add(sum, bytes, static_cast<size_t>(number));
}

void RowChecksum(sqlite3_context* context, int count, sqlite3_value** values) {
  uLong sum = crc32_z(0, nullptr, 0);
  for (int i = 0; i < count; ++i) sum = AddValue(sum, values[i]);
  sqlite3_result_int64(context, static_cast<int64_t>(sum));
}

}  // namespace

absl::Status DefineRowChecksum(sqlite3* handle) {
  const int code = sqlite3_create_function_v2(handle, "row_checksum", -1,
                                              SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                              nullptr, RowChecksum, nullptr, nullptr, nullptr);
  return StatusFromSqlite(code, sqlite3_errstr(code));
}

absl::StatusOr<std::string> RowIsGood(sqlite3* handle, absl::string_view table) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<Column> columns, ColumnsOf(handle, table));
  std::vector<std::string> summed;
  bool checked = false;
  for (const Column& column : columns) {
    if (column.name == "checksum") {
      checked = true;
    } else if (!column.is_rowid) {
      summed.push_back(column.name);
    }
  }
  if (!checked) return std::string();
  return absl::StrCat("(checksum IS -1 OR checksum IS row_checksum(", absl::StrJoin(summed, ", "),
                      "))");
}

}  // namespace skerry::sqlite
