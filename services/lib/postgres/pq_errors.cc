#include "services/lib/postgres/pq_errors.h"

#include <pqxx/pqxx>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::postgres {
namespace {

absl::Status Make(absl::StatusCode code, absl::string_view reason, absl::string_view op,
                  const char* what) {
  const std::string message =
      absl::StrCat("postgres: ", op, ": ", absl::StripAsciiWhitespace(what));
  if (reason.empty()) return absl::Status(code, message);
  return Error(code, message).Reason(reason);
}

// For errors that have no exception class of their own.
absl::Status FromSqlState(absl::string_view op, const pqxx::sql_error& error) {
  const std::string state = error.sqlstate();
  if (state == "57014")
    return Make(absl::StatusCode::kDeadlineExceeded, "STATEMENT_TIMEOUT", op, error.what());
  if (state == "57P01" || state == "57P02" || state == "57P03") {
    return Make(absl::StatusCode::kUnavailable, "DATABASE_AWAY", op, error.what());
  }
  if (state == "55P03" || state == "40001" || state == "40P01") {
    return Make(absl::StatusCode::kAborted, "", op, error.what());
  }
  if (state == "53100")
    return Make(absl::StatusCode::kResourceExhausted, "DATABASE_FULL", op, error.what());
  if (state == "25006")
    return Make(absl::StatusCode::kFailedPrecondition, "DATABASE_READ_ONLY", op, error.what());
  return Make(absl::StatusCode::kInternal, "", op,
              absl::StrCat(error.what(), " (", state, ")").c_str());
}

}  // namespace

absl::Status StatusFromPq(absl::string_view op, std::exception_ptr exception) {
  using Code = absl::StatusCode;
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const pqxx::unique_violation& e) {
    return Make(Code::kAlreadyExists, "", op, e.what());
  } catch (const pqxx::foreign_key_violation& e) {
    return Make(Code::kFailedPrecondition, "", op, e.what());
  } catch (const pqxx::serialization_failure& e) {
    return Make(Code::kAborted, "", op, e.what());
  } catch (const pqxx::deadlock_detected& e) {
    return Make(Code::kAborted, "", op, e.what());
  } catch (const pqxx::statement_completion_unknown& e) {
    return Make(Code::kUnknown, "COMMIT_IN_DOUBT", op, e.what());
  } catch (const pqxx::in_doubt_error& e) {
    return Make(Code::kUnknown, "COMMIT_IN_DOUBT", op, e.what());
  } catch (const pqxx::broken_connection& e) {  // too_many_connections is one.
    return Make(Code::kUnavailable, "DATABASE_AWAY", op, e.what());
  } catch (const pqxx::disk_full& e) {
    return Make(Code::kResourceExhausted, "DATABASE_FULL", op, e.what());
  } catch (const pqxx::insufficient_resources& e) {
    return Make(Code::kResourceExhausted, "", op, e.what());
  } catch (const pqxx::data_exception& e) {
    return Make(Code::kInvalidArgument, "", op, e.what());
  } catch (const pqxx::insufficient_privilege& e) {
    return Make(Code::kPermissionDenied, "", op, e.what());
  } catch (const pqxx::sql_error& e) {
    return FromSqlState(op, e);
  } catch (const std::exception& e) {
    return Make(Code::kInternal, "", op, e.what());
  } catch (...) {
    return Make(Code::kInternal, "", op, "unknown exception");
  }
}

}  // namespace skerry::postgres
