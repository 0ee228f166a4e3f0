#include "services/twin-svc/config.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::twin {

void FillAddresses(TwinConfig& config) {
  if (config.listen.empty()) config.listen = absl::StrCat("unix:", config.run_dir, "/twin.sock");
  if (config.dmi_listen.empty()) {
    config.dmi_listen = absl::StrCat("unix:", config.run_dir, "/dmi.sock");
  }
  if (config.meta_address.empty()) {
    config.meta_address = absl::StrCat("unix:", config.run_dir, "/edge-meta.sock");
  }
  if (config.hub_address.empty()) {
    config.hub_address = absl::StrCat("unix:", config.run_dir, "/edgehub.sock");
  }
}

absl::Status CheckConfig(const TwinConfig& config) {
  // Twins must have room beside them.
  if (config.readings_bytes_max <= config.size_bytes_max / 2) return absl::OkStatus();
  return InvalidField(
      "readings.bytes_max", absl::StrCat(config.readings_bytes_max),
      absl::StrCat("give at most half of store.size_bytes_max, ", config.size_bytes_max / 2));
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
  schema
      .Add(
          "mappers.away_after", &c.mappers_away_after,
          "how long a mapper may be silent until those of its devices that were online are unknown")
      .Min(absl::Milliseconds(100))
      .Max(absl::Hours(24));
  schema.Add("meta.address", &c.meta_address,
             "gRPC target of edge-meta-svc; default unix:<run_dir>/edge-meta.sock");
  schema
      .Add("meta.reconnect_max", &c.meta_reconnect_max,
           "longest pause between attempts to reach edge-meta-svc")
      .Min(absl::Milliseconds(200));
  schema.Add("hub.address", &c.hub_address,
             "gRPC target of edgehub-svc; default unix:<run_dir>/edgehub.sock");
  schema
      .Add("hub.reconnect_max", &c.hub_reconnect_max,
           "longest pause between attempts to reach edgehub-svc")
      .Min(absl::Milliseconds(200));
  schema
      .AddBytes("readings.bytes_max", &c.readings_bytes_max,
                "bytes of reported values that are kept; beyond, the oldest go")
      .Min(1 << 20);
  schema
      .Add("readings.age_max", &c.readings_age_max,
           "how long reported values are kept, of the time for which this service runs")
      .Min(absl::Minutes(1));
  schema
      .Add("reports.interval", &c.reports_interval,
           "least time from one report of a twin to the cloud to the next")
      .Min(absl::Milliseconds(10));
  schema.AddBytes("store.size_bytes_max", &c.size_bytes_max, "size of twins.db").Min(8 << 20);
  schema
      .AddBytes("writes.waiting_bytes_max", &c.waiting_bytes_max,
                "bytes of writes that may wait for the disk; beyond, they are refused")
      .Min(1 << 20);
}

}  // namespace skerry::twin
