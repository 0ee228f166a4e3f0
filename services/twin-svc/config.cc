#include "services/twin-svc/config.h"

#include "absl/strings/str_cat.h"

namespace skerry::twin {

void FillAddresses(TwinConfig& config) {
  if (config.listen.empty()) config.listen = absl::StrCat("unix:", config.run_dir, "/twin.sock");
  if (config.dmi_listen.empty()) {
    config.dmi_listen = absl::StrCat("unix:", config.run_dir, "/dmi.sock");
  }
  if (config.meta_address.empty()) {
    config.meta_address = absl::StrCat("unix:", config.run_dir, "/edge-meta.sock");
  }
}

void Declare(config::Schema& schema, TwinConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("state_dir", &c.state_dir, "folder of twins.db and mappers.db").Required();
  schema.Add("listen", &c.listen, "gRPC address for neighbours; default unix:<run_dir>/twin.sock");
  schema.Add("dmi.listen", &c.dmi_listen,
             "gRPC address for mappers; default unix:<run_dir>/dmi.sock");
  schema
      .Add("dmi.mappers_max", &c.mappers_max,
           "mappers that may be registered; beyond, one more is refused")
      .Min(1)
      .Max(1024);
  schema
      .Add("dmi.call_timeout", &c.mapper_call_timeout,
           "longest time that a mapper may take to be told of a device or a model")
      .Min(absl::Milliseconds(100))
      .Max(absl::Minutes(5));
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
