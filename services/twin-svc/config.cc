#include "services/twin-svc/config.h"

#include "absl/strings/str_cat.h"

namespace skerry::twin {

void FillAddresses(TwinConfig& config) {
  if (config.listen.empty()) config.listen = absl::StrCat("unix:", config.run_dir, "/twin.sock");
  if (config.meta_address.empty()) {
    config.meta_address = absl::StrCat("unix:", config.run_dir, "/edge-meta.sock");
  }
}

void Declare(config::Schema& schema, TwinConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("state_dir", &c.state_dir, "folder of twins.db").Required();
  schema.Add("listen", &c.listen, "gRPC address for neighbours; default unix:<run_dir>/twin.sock");
  schema.Add("meta.address", &c.meta_address,
             "gRPC target of edge-meta-svc; default unix:<run_dir>/edge-meta.sock");
  schema
      .Add("meta.reconnect_max", &c.meta_reconnect_max,
           "longest pause between attempts to reach edge-meta-svc")
      .Min(absl::Milliseconds(200));
  schema.AddBytes("store.size_bytes_max", &c.size_bytes_max, "size of twins.db").Min(8 << 20);
  schema
      .AddBytes("writes.waiting_bytes_max", &c.waiting_bytes_max,
                "bytes of writes that may wait for the disk; beyond, they are refused")
      .Min(1 << 20);
}

}  // namespace skerry::twin
