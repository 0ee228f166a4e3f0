#include "services/edge-meta-svc/config.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"

namespace skerry::edgemeta {
namespace {

absl::Status CheckTypes(absl::string_view field, const std::vector<std::string>& types) {
  for (const std::string& type : types) {
    if (!ResourceType::Parse(type).ok()) {
      return InvalidField(
          field, type,
          "use resource[.group] in lower case, as in pods or devices.devices.kubeedge.io");
    }
  }
  return absl::OkStatus();
}

}  // namespace

void FillAddresses(MetaConfig& config) {
  if (config.listen.empty())
    config.listen = absl::StrCat("unix:", config.run_dir, "/edge-meta.sock");
  if (config.edgehub_address.empty()) {
    config.edgehub_address = absl::StrCat("unix:", config.run_dir, "/edgehub.sock");
  }
}

void Declare(config::Schema& schema, MetaConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("state_dir", &c.state_dir, "folder of edge-meta.db and of its key").Required();
  schema.Add("listen", &c.listen,
             "gRPC address for neighbours; default unix:<run_dir>/edge-meta.sock");
  schema.Add("edgehub.address", &c.edgehub_address,
             "gRPC target of edgehub-svc; default unix:<run_dir>/edgehub.sock");
  schema
      .Add("edgehub.reconnect_max", &c.reconnect_max,
           "longest pause between attempts to reach edgehub-svc")
      .Min(absl::Milliseconds(10));
  schema.Add("resource_types", &c.resource_types, "types whose objects are kept here");
  schema.Add("report_types", &c.report_types, "types whose reports are taken here");
  schema.Add("store.sealed_types", &c.sealed_types, "types that are encrypted at rest");
  schema.Add("store.log_entries_max", &c.log_entries_max, "changes that a watcher may resume over")
      .Min(1);
  schema.AddBytes("store.log_bytes_max", &c.log_bytes_max, "bytes of the log of changes")
      .Min(1 << 20);
  schema
      .AddBytes("store.report_bytes_max", &c.report_bytes_max,
                "bytes of reports that wait for the cloud")
      .Min(1 << 20);
  schema.AddBytes("store.size_bytes_max", &c.size_bytes_max, "size of edge-meta.db").Min(8 << 20);
  schema
      .AddBytes("watch.queue_bytes_max", &c.watch_queue_bytes_max,
                "bytes a watcher may fall behind")
      .Min(2 << 20);
  schema
      .Add("watch.bookmark_interval", &c.bookmark_interval,
           "an idle watcher is sent its position this often")
      .Min(absl::Milliseconds(10))
      .Max(absl::Seconds(60));
  schema.Check([&c] { return CheckTypes("resource_types", c.resource_types); });
  schema.Check([&c] { return CheckTypes("report_types", c.report_types); });
  schema.Check([&c] { return CheckTypes("store.sealed_types", c.sealed_types); });
}

}  // namespace skerry::edgemeta
