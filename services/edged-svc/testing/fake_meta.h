// edge-meta-svc as edged sees it: objects that a test lays out, reports that it reads.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_META_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_META_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edged {

// A pod's last report.
struct FakeReport {
  std::string uid, status_json;
  bool gone = false;
  int count = 0;  // Reports of the key so far.
};

// Serves on a Unix socket until destroyed. Any thread may call it.
class FakeMeta {
 public:
  explicit FakeMeta(const std::string& socket);
  ~FakeMeta();

  // json: of the object; type "pods", key "ns/name".
  void Put(absl::string_view type, absl::string_view key, absl::string_view json);
  void Delete(absl::string_view type, absl::string_view key);
  FakeReport Report(absl::string_view type, absl::string_view key) const;
  // Waits for a report of the pod for which `good` holds; false after 60 s.
  bool Await(absl::string_view key, const std::function<bool(const FakeReport&)>& good) const;
  // Streams that are open; ended by the other side or by Disconnect.
  int watchers() const;
  // Ends every stream; resume tokens of them are too old from here on.
  void Disconnect();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_META_H_
