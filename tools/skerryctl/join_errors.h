// The StepErrors of a join that need more than a sentence.
#ifndef SKERRY_TOOLS_SKERRYCTL_JOIN_ERRORS_H_
#define SKERRY_TOOLS_SKERRYCTL_JOIN_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/http/https_client.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {

struct CloudAddress;

// What the user gave can't be.
absl::Status UsageError(absl::string_view step, absl::string_view expected, absl::string_view seen,
                        absl::string_view fix);

// A failure of the transport (http::HttpsClient::Call), as the step in which it happened.
absl::Status TransportError(absl::string_view step, const CloudAddress& cloud,
                            const absl::Status& status);

// What the hub says when it says no; HUB_ANSWER_INVALID where it does not say it as our hubs do.
StepError RefusalOf(const http::HttpsResponse& response);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_JOIN_ERRORS_H_
