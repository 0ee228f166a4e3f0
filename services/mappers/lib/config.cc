#include "services/mappers/lib/config.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::mapper {

void FillAddresses(MapperConfig& config) {
  if (config.listen.empty()) {
    config.listen = absl::StrCat("unix:", config.run_dir, "/", config.name, ".sock");
  }
  if (config.twin_address.empty()) {
    config.twin_address = absl::StrCat("unix:", config.run_dir, "/dmi.sock");
  }
}

void Declare(config::Schema& schema, MapperConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("name", &c.name, "name of this mapper, one of its kind on the box").Required();
  schema
      .Add("protocol", &c.protocol,
           "devices whose spec.protocol.protocolName is this one come to this mapper")
      .Required();
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("listen", &c.listen,
             "where twin-svc calls this mapper; default unix:<run_dir>/<name>.sock");
  schema.Add("twin.address", &c.twin_address, "DMI of twin-svc; default unix:<run_dir>/dmi.sock");
  schema.Add("devices_max", &c.devices_max, "devices at the same time; each has a thread")
      .Min(1)
      .Max(4096);
  schema.Check([&c]() -> absl::Status {
    // The contract has no other: twin-svc is told the path.
    if (c.listen.empty() || absl::StartsWith(c.listen, "unix:/")) return absl::OkStatus();
    return InvalidField("listen", c.listen, "give unix: and an absolute path");
  });
}

}  // namespace skerry::mapper
