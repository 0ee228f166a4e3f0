// The end of edge-meta-svc's users: follows objects of the box and hands in reports.
#ifndef SKERRY_SERVICES_LIB_METACLIENT_META_CLIENT_H_
#define SKERRY_SERVICES_LIB_METACLIENT_META_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::metaclient {

// Called on the executor's thread, one at a time.
class MetaListener {
 public:
  virtual ~MetaListener() = default;
  virtual void OnObject(const std::string& type, const std::string& key,
                        const std::string& json) = 0;
  virtual void OnObjectDeleted(const std::string& type, const std::string& key) = 0;
  // Everything that edge-meta-svc holds has been told. Once per connection.
  virtual void OnSynced() = 0;
  virtual void OnConnected(bool connected) = 0;
  virtual void OnReportSent(bool ok) = 0;
};

// Resumes where it was after a loss, begins anew when that is too long ago. Reports are kept by key
// until edge-meta-svc has made them durable; at most one call is in flight. Any thread may call it.
class MetaClient final {
 public:
  struct Options {
    std::string address;             // "unix:…": edge-meta-svc's API.
    std::vector<std::string> types;  // Of the objects that it follows.
    absl::Duration reconnect_max = absl::Seconds(5);
  };
  // executor and listener outlive it. INVALID_ARGUMENT for an address that is not local.
  static absl::StatusOr<std::unique_ptr<MetaClient>> Create(const Options& options,
                                                            exec::SerialExecutor& executor,
                                                            MetaListener& listener,
                                                            log::Logger log);
  // Close(). The executor still runs then.
  ~MetaClient();

  void Start();
  // Ends the watch and open calls: the listener is not called any more, reports are dropped.
  // Idempotent; not from the executor.
  void Close();
  // The latest value of a key; returns at once.
  void Report(const std::string& type, const std::string& key, int64_t generation,
              std::string value);

 private:
  struct Impl;
  explicit MetaClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::metaclient

#endif  // SKERRY_SERVICES_LIB_METACLIENT_META_CLIENT_H_
