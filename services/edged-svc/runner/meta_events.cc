#include "services/edged-svc/runner/meta_events.h"

#include "services/edged-svc/core/node_status.h"

namespace skerry::edged {
namespace {

std::string NamespaceOf(const std::string& key) { return key.substr(0, key.find('/')); }

}  // namespace

void MetaEvents::OnObject(const std::string& type, const std::string& key,
                          const std::string& json) {
  if (type == "pods") return pods_->PutPod(key, json);
  if (type == "nodes" && CountsAsLost(json)) report_node_();
  if (type != "configmaps" && type != "secrets")
    return;  // Service accounts: not needed to run pods so far.
  const absl::Status status =
      type == "configmaps" ? objects_.PutConfigMap(key, json) : objects_.PutSecret(key, json);
  if (!status.ok()) {
    metrics_.ObjectRefused();
    log_.Error("object can't be used", status, {{"type", type}, {"key", key}});
    return;
  }
  pods_->ObjectChanged(NamespaceOf(key));
}

void MetaEvents::OnObjectDeleted(const std::string& type, const std::string& key) {
  if (type == "pods") return pods_->DeletePod(key);
  if (type == "configmaps") objects_.DeleteConfigMap(key);
  if (type == "secrets") objects_.DeleteSecret(key);
  if (type == "configmaps" || type == "secrets") pods_->ObjectChanged(NamespaceOf(key));
}

void MetaEvents::OnSynced() {
  pods_->Synced();
  pods_->ReportAll();
  report_node_();
}

}  // namespace skerry::edged
