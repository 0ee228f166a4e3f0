#include "services/lib/cloudspoke/report_inbox.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::cloudspoke {
namespace {

constexpr size_t kOverhead = 256;

size_t Cost(const InboxReport& report) {
  return report.value.size() + report.key.size() + report.type.size() + kOverhead;
}

// Node names hold no '|'.
std::string NodeOf(absl::string_view work_key) {
  return std::string(work_key.substr(0, work_key.find('|')));
}

}  // namespace

ReportInbox::PutResult ReportInbox::Put(InboxReport report) {
  PutResult result;
  result.work_key = absl::StrCat(report.node, "|", report.type, "|", report.key);
  absl::MutexLock lock(&mutex_);
  NodeReports& node = nodes_[report.node];
  const auto it = node.by_key.find(result.work_key);
  const size_t freed = it == node.by_key.end() ? 0 : Cost(it->second);
  const size_t cost = Cost(report);
  if (node.bytes - freed + cost > bytes_max_) return result;
  node.bytes = node.bytes - freed + cost;
  if (it == node.by_key.end()) {
    node.by_key.emplace(result.work_key, std::move(report));
  } else {
    result.superseded = std::exchange(it->second, std::move(report));
  }
  result.accepted = true;
  return result;
}

std::optional<InboxReport> ReportInbox::Peek(absl::string_view work_key) const {
  absl::MutexLock lock(&mutex_);
  const auto node = nodes_.find(NodeOf(work_key));
  if (node == nodes_.end()) return std::nullopt;
  const auto it = node->second.by_key.find(std::string(work_key));
  if (it == node->second.by_key.end()) return std::nullopt;
  return it->second;
}

bool ReportInbox::Finish(absl::string_view work_key, uint64_t epoch, uint64_t sequence) {
  absl::MutexLock lock(&mutex_);
  const auto node = nodes_.find(NodeOf(work_key));
  if (node == nodes_.end()) return false;
  const auto it = node->second.by_key.find(std::string(work_key));
  if (it == node->second.by_key.end() || it->second.epoch != epoch ||
      it->second.sequence != sequence) {
    return false;
  }
  node->second.bytes -= Cost(it->second);
  node->second.by_key.erase(it);
  if (node->second.by_key.empty()) nodes_.erase(node);
  return true;
}

void ReportInbox::DropNode(absl::string_view node) {
  absl::MutexLock lock(&mutex_);
  nodes_.erase(std::string(node));
}

size_t ReportInbox::size() const {
  absl::MutexLock lock(&mutex_);
  size_t size = 0;
  for (const auto& [name, node] : nodes_) size += node.by_key.size();
  return size;
}

}  // namespace skerry::cloudspoke
