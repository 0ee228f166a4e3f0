#include "services/twin-svc/runner/method_calls.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::twin {
namespace {

constexpr size_t kPayloadBytesMax = 128u << 10;

absl::Status CheckResult(const v1::MethodResult& result) {
  if (result.payload().size() <= kPayloadBytesMax) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("the method was executed with status ", result.status(),
                            ", and answered with ", result.payload().size(), " bytes; at most ",
                            kPayloadBytesMax, " are allowed"))
      .Reason("METHOD_ANSWER_TOO_LARGE");
}

}  // namespace

void MethodCalls::Call(v1::MethodCall call, absl::Duration timeout, MethodCaller::Done done) {
  caller_.CallMethod(std::move(call), timeout,
                     [done = std::move(done)](absl::StatusOr<v1::MethodResult> result) mutable {
                       if (result.ok()) {
                         if (absl::Status fits = CheckResult(*result); !fits.ok()) result = fits;
                       }
                       done(std::move(result));
                     });
}

void MethodCalls::Execute(const hubclient::Command& command, hubclient::CommandDone done) {
  v1::MethodCall call;
  if (!call.ParseFromString(command.payload)) {
    return done(InvalidField("payload", absl::StrCat(command.payload.size(), " bytes"),
                             "give a skerry.twin.v1.MethodCall"),
                "");
  }
  Call(std::move(call), command.deadline,
       [done = std::move(done)](absl::StatusOr<v1::MethodResult> result) mutable {
         done(result.status(), result.ok() ? result->SerializeAsString() : "");
       });
}

}  // namespace skerry::twin
