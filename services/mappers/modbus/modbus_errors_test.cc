#include "services/mappers/modbus/modbus_errors.h"

#include <gtest/gtest.h>
#include <modbus/modbus.h>

#include <cerrno>

#include "services/lib/testing/status_matchers.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ModbusErrorsTest, EachError) {
  using Code = absl::StatusCode;
  const struct {
    int error;
    Fault fault;
    Code code;
    const char* reason;
  } rows[] = {
      {EMBXILFUN, Fault::kException, Code::kUnimplemented, "MODBUS_ILLEGAL_FUNCTION"},
      {EMBXILADD, Fault::kException, Code::kInvalidArgument, "MODBUS_ILLEGAL_DATA_ADDRESS"},
      {EMBXILVAL, Fault::kException, Code::kInvalidArgument, "MODBUS_ILLEGAL_DATA_VALUE"},
      {EMBXSFAIL, Fault::kException, Code::kFailedPrecondition, "MODBUS_DEVICE_FAILURE"},
      {EMBXACK, Fault::kException, Code::kAborted, "MODBUS_DEVICE_BUSY"},
      {EMBXSBUSY, Fault::kException, Code::kAborted, "MODBUS_DEVICE_BUSY"},
      {EMBXNACK, Fault::kException, Code::kAborted, "MODBUS_DEVICE_BUSY"},
      {EMBXMEMPAR, Fault::kException, Code::kDataLoss, "MODBUS_MEMORY_PARITY"},
      {EMBBADEXC, Fault::kException, Code::kUnknown, "MODBUS_UNKNOWN_EXCEPTION"},
      {EMBUNKEXC, Fault::kException, Code::kUnknown, "MODBUS_UNKNOWN_EXCEPTION"},
      {EMBXGPATH, Fault::kException, Code::kUnavailable, "MODBUS_GATEWAY"},
      {EMBXGTAR, Fault::kException, Code::kUnavailable, "MODBUS_GATEWAY"},
      {EMBBADCRC, Fault::kGarbled, Code::kUnavailable, "MODBUS_GARBLED"},
      {EMBBADDATA, Fault::kGarbled, Code::kUnavailable, "MODBUS_GARBLED"},
      {EMBBADSLAVE, Fault::kGarbled, Code::kUnavailable, "MODBUS_GARBLED"},
      {ETIMEDOUT, Fault::kSilent, Code::kDeadlineExceeded, "MODBUS_NO_ANSWER"},
      {ECONNRESET, Fault::kLost, Code::kUnavailable, "MODBUS_LINE_LOST"},
      {EPIPE, Fault::kLost, Code::kUnavailable, "MODBUS_LINE_LOST"},
      {EIO, Fault::kLost, Code::kUnavailable, "MODBUS_LINE_LOST"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(modbus_strerror(row.error));
    EXPECT_EQ(FaultOf(row.error), row.fault);
    const absl::Status status = StatusOf(row.error, "speed", "HoldingRegister 4");
    EXPECT_THAT(status, StatusIsWith(row.code, AllOf(HasSubstr("property speed"),
                                                     HasSubstr("HoldingRegister 4"))));
    EXPECT_THAT(status, HasReason(row.reason));
    EXPECT_EQ(GetErrorInfo(status).metadata.at("property"), "speed");
  }
  EXPECT_EQ(FaultOf(0), Fault::kNone);
  EXPECT_THAT(StatusOf(0, "speed", ""), IsOk());
}

}  // namespace
}  // namespace skerry::mapper::modbus
