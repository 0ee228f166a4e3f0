// skerryctl join: makes this box a node of a hub.
#ifndef SKERRY_TOOLS_SKERRYCTL_JOIN_H_
#define SKERRY_TOOLS_SKERRYCTL_JOIN_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/https_client.h"
#include "services/lib/model/names.h"
#include "services/lib/security/join_tokens.h"
#include "tools/skerryctl/cloud_address.h"
#include "tools/skerryctl/node_files.h"

namespace skerry::skerryctl {

struct JoinOptions {
  std::string cloud;  // "https://host:10002"; the scheme and the port may be left out.
  std::string token;
  std::string node_name;
  std::string link_address;  // Empty: as the hub says.
  NodeLayout layout;
  bool force = false;  // Join again although there is a good certificate.
};

// The steps of a join, in order; each fails with a StepError (step_error.h). Used once, by one
// thread.
class Joiner {
 public:
  using Progress = std::function<void(absl::string_view step, absl::string_view result)>;
  // All outlive it. `progress` hears of every step that succeeded.
  Joiner(JoinOptions options, http::HttpsClient& https, Clock& clock, Progress progress);

  absl::Status Run();

 private:
  absl::Status ParseArguments();
  // True: nothing is left to do.
  absl::StatusOr<bool> CheckExisting();
  // Before the token is used: a folder that can't be written must not cost a single-use token.
  absl::Status PrepareFolder();
  absl::Status Resolve();
  absl::Status FetchCa();
  absl::Status CompareHash();
  absl::Status CheckClock();
  absl::Status RequestCertificate();
  absl::Status VerifyCertificate();
  absl::Status WriteFiles();
  absl::Status CheckCaValidity(absl::Time now, absl::string_view skew_text);

  const JoinOptions options_;
  http::HttpsClient& https_;
  Clock& clock_;
  const Progress progress_;

  security::JoinToken token_;
  CloudAddress cloud_;
  NodeIdentity identity_;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_JOIN_H_
