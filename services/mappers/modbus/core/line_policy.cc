#include "services/mappers/modbus/core/line_policy.h"

namespace skerry::mapper::modbus {

Decision Decide(const Attempt& attempt) {
  switch (attempt.fault) {
    case Fault::kNone:
    case Fault::kException:
      return {};
    case Fault::kLost:
      return {.close = true, .again = !attempt.opened_now};
    case Fault::kSilent:
    case Fault::kGarbled:
      if (!attempt.serial) return {.close = true};
      return {.again = attempt.retries_left > 0};
  }
  return {};
}

}  // namespace skerry::mapper::modbus
