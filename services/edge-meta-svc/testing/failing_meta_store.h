// A MetaStore whose n-th write fails.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_TESTING_FAILING_META_STORE_H_
#define SKERRY_SERVICES_EDGE_META_SVC_TESTING_FAILING_META_STORE_H_

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "services/edge-meta-svc/store/meta_store.h"

namespace skerry::edgemeta {

// Forwards to `real`, which outlives it. Writes (Apply, DropReports) count from 1 after each
// FailAt; the one with that number fails without effect. Any thread may call it.
class FailingMetaStore final : public MetaStore {
 public:
  explicit FailingMetaStore(MetaStore& real) : real_(real) {}

  void FailAt(int write) {
    writes_ = 0;
    fail_at_ = write;
  }
  // Whether the failure has happened.
  bool failed() const { return writes_ >= fail_at_; }

  const std::string& id() const override { return real_.id(); }
  absl::StatusOr<std::vector<watch::Change>> Apply(const Batch& batch, absl::Time now) override {
    if (++writes_ == fail_at_) return absl::ResourceExhaustedError("disk full");
    return real_.Apply(batch, now);
  }
  absl::Status DropReports(const std::vector<int64_t>& numbers) override {
    if (!numbers.empty() && ++writes_ == fail_at_) return absl::ResourceExhaustedError("disk full");
    return real_.DropReports(numbers);
  }
  absl::StatusOr<watch::Change> Get(absl::string_view type, absl::string_view key) override {
    return real_.Get(type, key);
  }
  absl::StatusOr<std::vector<watch::Change>> List(absl::string_view type,
                                                  absl::string_view object_namespace,
                                                  absl::string_view after_key, size_t limit,
                                                  size_t bytes_max) override {
    return real_.List(type, object_namespace, after_key, limit, bytes_max);
  }
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Holdings(
      absl::string_view type) override {
    return real_.Holdings(type);
  }
  absl::StatusOr<TypeState> StateOf(absl::string_view type) override { return real_.StateOf(type); }
  absl::StatusOr<PutOutcome> PutReport(Report report, absl::Time now) override {
    return real_.PutReport(std::move(report), now);
  }
  absl::StatusOr<std::vector<Report>> Reports(int64_t number, size_t limit,
                                              size_t bytes_max) override {
    return real_.Reports(number, limit, bytes_max);
  }
  absl::StatusOr<int64_t> CountReports() override { return real_.CountReports(); }
  int64_t Revision() override { return real_.Revision(); }
  absl::StatusOr<std::vector<watch::Change>> ReadObjects(const std::set<std::string>& types,
                                                         const watch::Position& after,
                                                         size_t bytes_max) override {
    return real_.ReadObjects(types, after, bytes_max);
  }
  absl::StatusOr<bool> Complete(const std::set<std::string>& types) override {
    return real_.Complete(types);
  }
  absl::StatusOr<watch::LogPage> ReadLog(const std::set<std::string>& types, int64_t revision,
                                         size_t bytes_max) override {
    return real_.ReadLog(types, revision, bytes_max);
  }

 private:
  MetaStore& real_;
  std::atomic<int> writes_ = 0;
  std::atomic<int> fail_at_ = 1 << 30;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_TESTING_FAILING_META_STORE_H_
