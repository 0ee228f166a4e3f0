// Joins two byte streams.
#ifndef SKERRY_SERVICES_LIB_PIPE_PIPE_H_
#define SKERRY_SERVICES_LIB_PIPE_PIPE_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::pipe {

// Copies both ways, one chunk in hand for each: the slower end holds back the other. When either
// end says no more (or breaks), both are closed, after what was written; HTTP's connections want no
// half of them left open. `done` gets the first error, or OK.
void Join(std::shared_ptr<ByteStream> a, std::shared_ptr<ByteStream> b,
          absl::AnyInvocable<void(absl::Status)> done);

}  // namespace skerry::pipe

#endif  // SKERRY_SERVICES_LIB_PIPE_PIPE_H_
