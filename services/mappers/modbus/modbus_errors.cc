#include "services/mappers/modbus/modbus_errors.h"

#include <modbus/modbus.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::mapper::modbus {
namespace {

struct Row {
  int error;
  Fault fault;
  absl::StatusCode code;
  const char* reason;
  const char* text;
};

constexpr Row kRows[] = {
    {EMBXILFUN, Fault::kException, absl::StatusCode::kUnimplemented, "MODBUS_ILLEGAL_FUNCTION",
     "the device has no such function: check register"},
    {EMBXILADD, Fault::kException, absl::StatusCode::kInvalidArgument,
     "MODBUS_ILLEGAL_DATA_ADDRESS", "the device has no such address: check offset and limit"},
    {EMBXILVAL, Fault::kException, absl::StatusCode::kInvalidArgument, "MODBUS_ILLEGAL_DATA_VALUE",
     "the device does not take this value or number of registers: check limit and the value"},
    {EMBXSFAIL, Fault::kException, absl::StatusCode::kFailedPrecondition, "MODBUS_DEVICE_FAILURE",
     "the device says that it failed"},
    {EMBXACK, Fault::kException, absl::StatusCode::kAborted, "MODBUS_DEVICE_BUSY",
     "the device needs more time"},
    {EMBXSBUSY, Fault::kException, absl::StatusCode::kAborted, "MODBUS_DEVICE_BUSY",
     "the device is busy"},
    {EMBXNACK, Fault::kException, absl::StatusCode::kAborted, "MODBUS_DEVICE_BUSY",
     "the device did not do it"},
    {EMBXMEMPAR, Fault::kException, absl::StatusCode::kDataLoss, "MODBUS_MEMORY_PARITY",
     "the device's memory has an error"},
    {EMBBADEXC, Fault::kException, absl::StatusCode::kUnknown, "MODBUS_UNKNOWN_EXCEPTION",
     "the device answers with an error that Modbus does not know"},
    {EMBUNKEXC, Fault::kException, absl::StatusCode::kUnknown, "MODBUS_UNKNOWN_EXCEPTION",
     "the device answers with an error that Modbus does not know"},
    // The gateway answers; the device does not.
    {EMBXGPATH, Fault::kException, absl::StatusCode::kUnavailable, "MODBUS_GATEWAY",
     "the gateway has no way to the device: check slaveID"},
    {EMBXGTAR, Fault::kException, absl::StatusCode::kUnavailable, "MODBUS_GATEWAY",
     "the gateway has no answer of the device: check slaveID"},
    {EMBBADCRC, Fault::kGarbled, absl::StatusCode::kUnavailable, "MODBUS_GARBLED",
     "an answer with a wrong checksum: check baudRate, parity and cables"},
    {EMBBADDATA, Fault::kGarbled, absl::StatusCode::kUnavailable, "MODBUS_GARBLED",
     "an answer to another question"},
    {EMBBADSLAVE, Fault::kGarbled, absl::StatusCode::kUnavailable, "MODBUS_GARBLED",
     "an answer of another slave"},
    {ETIMEDOUT, Fault::kSilent, absl::StatusCode::kDeadlineExceeded, "MODBUS_NO_ANSWER",
     "no answer in time: check slaveID, the device and timeout"},
};

const Row* Find(int error) {
  for (const Row& row : kRows) {
    if (row.error == error) return &row;
  }
  return nullptr;
}

}  // namespace

Fault FaultOf(int error) {
  if (error == 0) return Fault::kNone;
  const Row* row = Find(error);
  return row == nullptr ? Fault::kLost : row->fault;
}

absl::Status StatusOf(int error, absl::string_view property, absl::string_view place) {
  if (error == 0) return absl::OkStatus();
  const Row* row = Find(error);
  const absl::StatusCode code = row == nullptr ? absl::StatusCode::kUnavailable : row->code;
  const std::string what =
      row == nullptr ? absl::StrCat("the connection is lost: ", modbus_strerror(error)) : row->text;
  return Error(code, absl::StrCat("property ", property, " at ", place, ": ", what))
      .Reason(row == nullptr ? "MODBUS_LINE_LOST" : row->reason)
      .Meta("property", property)
      .Meta("place", place);
}

}  // namespace skerry::mapper::modbus
