// What to do about a request that failed.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_CORE_LINE_POLICY_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_CORE_LINE_POLICY_H_

namespace skerry::mapper::modbus {

enum class Fault {
  kNone,
  kException,  // The device answered, with an error.
  kSilent,     // No answer in time.
  kGarbled,    // An answer that is none: checksum, slave, transaction, length.
  kLost,       // The connection or the serial port is gone.
};

struct Attempt {
  bool serial = false;
  Fault fault = Fault::kNone;
  int retries_left = 0;
  bool opened_now = false;  // For this request.
};

struct Decision {
  bool close = false;
  bool again = false;
};

// TCP: what was silent or garbled may still be answered, and that answer would be taken for the
// next one's; so the connection ends. One that was there before may have been closed by the device
// because nobody spoke: once more, with a new one. RTU: a line loses requests and garbles answers,
// so both are tried again; it is opened anew only where it is gone.
Decision Decide(const Attempt& attempt);

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_CORE_LINE_POLICY_H_
