#include "services/edgehub-svc/config.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/frames.h"

namespace skerry::edgehub {

void Declare(config::Schema& schema, EdgeHubConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("run_dir", &c.run_dir, "folder of the box's sockets").Required();
  schema
      .Add("state_dir", &c.state_dir,
           "folder for what must outlive a restart (edgehub.db, events.db, commands.db)")
      .Required();
  schema.Add("listen", &c.listen,
             "gRPC address for the services of the box; unix:<run_dir>/edgehub.sock unless given");
  schema.Add("cloud.address", &c.cloud_address, "host:port of cloudhub-svc's link port").Required();
  schema.Add("cloud.join_address", &c.cloud_join_address,
             "host:port of cloudhub-svc's join port, where this node's certificate is renewed; the "
             "host of cloud.address and port 10002 unless given");
  schema.Add("cloud.server_name", &c.cloud_server_name,
             "name expected in the hub's certificate; the host of cloud.address unless given");
  schema.Add("tls.ca", &c.tls_ca, "PEM file of the CA that the hub's certificate is signed by")
      .Required();
  schema
      .Add("tls.identity", &c.tls_identity,
           "PEM file of this node's certificate and its private key; this service renews both")
      .Required();
  schema.Add("link.compression", &c.compression,
             "frames go and come compressed where the other end takes part and it pays");
  schema
      .Add("cloud.backoff_min", &c.backoff_min, "upper end of the first wait before dialling again")
      .Min(absl::Milliseconds(10));
  schema
      .Add("cloud.backoff_max", &c.backoff_max,
           "upper end of the longest wait before dialling again")
      .Min(absl::Seconds(1))
      .Max(absl::Hours(1));
  schema
      .AddBytes(
          "link.metered.bytes_per_second", &c.link_bytes_per_second,
          "what may go over the link in each direction; alarms, acks and heartbeats go in any "
          "case and are waited off by the rest; 0 for no limit, else 32 or more")
      .Max(static_cast<int64_t>(link::kBudgetRateMax));
  schema
      .AddBytes("link.metered.burst_bytes", &c.link_burst_bytes,
                "what may be saved up of link.metered.bytes_per_second and go at once")
      .Min(static_cast<int64_t>(link::kBudgetBurstMin))
      .Max(static_cast<int64_t>(link::kBudgetBurstMax));
  schema.Check([&c]() -> absl::Status {
    constexpr auto kMin = static_cast<int64_t>(link::kBudgetRateMin);
    if (c.link_bytes_per_second == 0 || c.link_bytes_per_second >= kMin) return absl::OkStatus();
    return InvalidField(
        "link.metered.bytes_per_second", absl::StrCat(c.link_bytes_per_second),
        absl::StrCat("give 0 for no limit, or ", kMin, " or more, which lets heartbeats go"));
  });
  schema
      .AddBytes("journal.bytes_max", &c.journal_bytes_max,
                "reports that may wait for the cloud; beyond, new ones are refused")
      .Min(1 << 20);
  schema
      .AddBytes("journal.type_bytes_max", &c.journal_type_bytes_max,
                "the same of one type of reports, which so leaves room for others")
      .Min(1 << 20);
  schema
      .Add("journal.age_max", &c.journal_age_max,
           "reports that waited for longer, while this service ran, are dropped")
      .Min(absl::Minutes(1));
  schema
      .AddBytes(
          "events.stream_bytes_max", &c.event_stream_bytes_max,
          "events of one stream that may wait for the cloud; beyond, the oldest are dropped or "
          "new ones refused, as the stream's owner chose")
      .Min(1 << 20);
  schema.Add("events.age_max", &c.event_age_max, "events older than this are dropped")
      .Min(absl::Minutes(1));
  schema
      .Add("commands.outcome_retention", &c.command_outcome_retention,
           "how long it is remembered how a command ended, for repeats; its key is remembered for "
           "31 days, and is not executed again")
      .Min(absl::Minutes(1));
  schema.Renamed("commands.retention", "commands.outcome_retention");
  schema
      .Add("commands.records_max", &c.command_records_max,
           "commands whose keys may be remembered; beyond, new ones are refused")
      .Min(100);
  schema
      .AddBytes("commands.response_bytes_max", &c.command_response_bytes_max,
                "responses that may be kept for repeats; beyond, the oldest are dropped")
      .Min(1 << 20);
}

}  // namespace skerry::edgehub
