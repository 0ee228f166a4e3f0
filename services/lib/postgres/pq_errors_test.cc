#include "services/lib/postgres/pq_errors.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "absl/status/statusor.h"
#include "services/lib/base/error.h"

namespace skerry::postgres {
namespace {

struct Row {
  std::exception_ptr exception;
  absl::StatusCode code;
  const char* reason;
};

template <typename E>
std::exception_ptr Thrown(E exception) {
  return std::make_exception_ptr(std::move(exception));
}

std::exception_ptr State(const char* sqlstate) {
  return Thrown(pqxx::sql_error("text", "query", sqlstate));
}

TEST(StatusFromPqTest, MapsEveryRowOfTheTable) {
  using Code = absl::StatusCode;
  const Row rows[] = {
      {Thrown(pqxx::unique_violation("text")), Code::kAlreadyExists, ""},
      {Thrown(pqxx::foreign_key_violation("text")), Code::kFailedPrecondition, ""},
      {Thrown(pqxx::serialization_failure("text")), Code::kAborted, ""},
      {Thrown(pqxx::deadlock_detected("text")), Code::kAborted, ""},
      {Thrown(pqxx::in_doubt_error("text")), Code::kUnknown, "COMMIT_IN_DOUBT"},
      {Thrown(pqxx::statement_completion_unknown("text")), Code::kUnknown, "COMMIT_IN_DOUBT"},
      {Thrown(pqxx::broken_connection("text")), Code::kUnavailable, "DATABASE_AWAY"},
      {Thrown(pqxx::too_many_connections("text")), Code::kUnavailable, "DATABASE_AWAY"},
      {State("57P01"), Code::kUnavailable, "DATABASE_AWAY"},
      {State("57P02"), Code::kUnavailable, "DATABASE_AWAY"},
      {State("57P03"), Code::kUnavailable, "DATABASE_AWAY"},
      {Thrown(pqxx::disk_full("text")), Code::kResourceExhausted, "DATABASE_FULL"},
      {State("53100"), Code::kResourceExhausted, "DATABASE_FULL"},
      {Thrown(pqxx::out_of_memory("text")), Code::kResourceExhausted, ""},
      {State("57014"), Code::kDeadlineExceeded, "STATEMENT_TIMEOUT"},
      {State("55P03"), Code::kAborted, ""},
      {State("40001"), Code::kAborted, ""},
      {State("40P01"), Code::kAborted, ""},
      {Thrown(pqxx::data_exception("text")), Code::kInvalidArgument, ""},
      {Thrown(pqxx::insufficient_privilege("text")), Code::kPermissionDenied, ""},
      {State("25006"), Code::kFailedPrecondition, "DATABASE_READ_ONLY"},
      {Thrown(pqxx::undefined_table("text")), Code::kInternal, ""},
      {Thrown(pqxx::usage_error("text")), Code::kInternal, ""},
      {Thrown(std::runtime_error("text")), Code::kInternal, ""},
  };
  int number = 0;
  for (const Row& row : rows) {
    const absl::Status status = StatusFromPq("op", row.exception);
    EXPECT_EQ(status.code(), row.code) << number;
    EXPECT_EQ(GetErrorInfo(status).reason, row.reason) << number;
    EXPECT_NE(status.message().find("postgres: op: text"), absl::string_view::npos) << status;
    ++number;
  }
  EXPECT_EQ(StatusFromPq("op", std::make_exception_ptr(7)).code(), Code::kInternal);
}

TEST(CatchPqTest, PassesResultsAndCatchesAll) {
  EXPECT_TRUE(CatchPq("op", [] { return absl::OkStatus(); }).ok());
  EXPECT_EQ(*CatchPq("op", []() -> absl::StatusOr<int> { return 5; }), 5);
  EXPECT_TRUE(absl::IsUnavailable(CatchPq("op", []() -> absl::StatusOr<int> {
                                    throw pqxx::broken_connection("gone");
                                  }).status()));
}

}  // namespace
}  // namespace skerry::postgres
