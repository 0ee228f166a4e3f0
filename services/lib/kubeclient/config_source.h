// The configuration of a client, for as long as its process runs.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_CONFIG_SOURCE_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_CONFIG_SOURCE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/kubeclient/kubeconfig.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/file_stamp.h"

namespace skerry::kubeclient {

// Follows the kubeconfig file and the certificate files that it names: once one of them has
// changed, the next call of Current reads all of them again. client-go does that for the files
// that a kubeconfig names, but not for the kubeconfig itself; here credentials that are embedded in
// it (client-certificate-data, token) are followed as well. A copy of a kubeconfig is nobody's to
// renew: what is embedded in it ends when the copied certificate does.
//
// What cannot be used leaves the last good configuration in force, with a line in the log: a file
// that does not parse, a key that does not fit its certificate (the other file is yet to change).
//
// Any thread may call it.
class ConfigSource {
 public:
  // The file, or a pod's own credentials where `kubeconfig_path` is empty. Errors as of
  // LoadRestConfig; INVALID_ARGUMENT also for a key that does not fit, and for a token that would
  // travel in plain text.
  static absl::StatusOr<std::unique_ptr<ConfigSource>> Open(absl::string_view kubeconfig_path,
                                                            const log::Logger& log);
  // Follows the files that `config` names.
  static absl::StatusOr<std::unique_ptr<ConfigSource>> Of(const RestConfig& config,
                                                          const log::Logger& log);

  // Another object means that something has changed. Certificates and keys are in it as PEM,
  // wherever they came from.
  std::shared_ptr<const RestConfig> Current();

 private:
  using Load = std::function<absl::StatusOr<RestConfig>()>;
  struct Watched {
    std::string path;
    security::FileStamp stamp;
  };

  ConfigSource(std::string kubeconfig_path, Load load, log::Logger log);
  static absl::StatusOr<std::unique_ptr<ConfigSource>> Make(std::string kubeconfig_path, Load load,
                                                            const log::Logger& log);
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string kubeconfig_path_;  // Empty: there is none.
  const Load load_;
  const log::Logger log_;
  absl::Mutex mutex_;
  std::vector<Watched> watched_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const RestConfig> current_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_CONFIG_SOURCE_H_
