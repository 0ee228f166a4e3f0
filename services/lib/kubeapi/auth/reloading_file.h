// A parsed file that is parsed again when it changes.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_RELOADING_FILE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_RELOADING_FILE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/file_stamp.h"
#include "services/lib/security/files.h"

namespace skerry::kubeapi {

// Any thread may call it. A changed file that does not parse leaves the last good value in use.
template <typename T>
class ReloadingFile {
 public:
  using Parse = std::function<absl::StatusOr<T>(absl::string_view)>;
  // Hears of each attempt after the first one, on the thread that called Current.
  using OnReload = std::function<void(const absl::Status&)>;

  static absl::StatusOr<std::unique_ptr<ReloadingFile>> Open(std::string path, Parse parse,
                                                             OnReload on_reload) {
    const security::FileStamp stamp = security::StampOf(path);
    SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<const T> value, Load(path, parse));
    return std::unique_ptr<ReloadingFile>(new ReloadingFile(
        std::move(path), std::move(parse), std::move(on_reload), stamp, std::move(value)));
  }

  // Costs one look at the file's stamp.
  std::shared_ptr<const T> Current() {
    const security::FileStamp stamp = security::StampOf(path_);
    absl::Status status;
    std::shared_ptr<const T> value;
    {
      absl::MutexLock lock(&mutex_);
      if (stamp == stamp_) return value_;
      stamp_ = stamp;
      absl::StatusOr<std::shared_ptr<const T>> fresh = Load(path_, parse_);
      status = fresh.status();
      if (fresh.ok()) value_ = *std::move(fresh);
      value = value_;
    }
    on_reload_(status);
    return value;
  }

 private:
  ReloadingFile(std::string path, Parse parse, OnReload on_reload, const security::FileStamp& stamp,
                std::shared_ptr<const T> value)
      : path_(std::move(path)),
        parse_(std::move(parse)),
        on_reload_(std::move(on_reload)),
        stamp_(stamp),
        value_(std::move(value)) {}

  static absl::StatusOr<std::shared_ptr<const T>> Load(const std::string& path,
                                                       const Parse& parse) {
    SKERRY_ASSIGN_OR_RETURN(const std::string text, security::ReadSmallFile(path));
    absl::StatusOr<T> value = parse(text);
    if (!value.ok()) return Annotate(value.status(), path);
    return std::make_shared<const T>(*std::move(value));
  }

  const std::string path_;
  const Parse parse_;
  const OnReload on_reload_;
  absl::Mutex mutex_;
  security::FileStamp stamp_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_RELOADING_FILE_H_
