#include "services/servicebus-svc/config.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"

namespace skerry::servicebus {

void FillAddresses(ServiceBusConfig& config) {
  if (config.edgehub_address.empty())
    config.edgehub_address = absl::StrCat("unix:", config.run_dir, "/edgehub.sock");
  if (config.meta_address.empty())
    config.meta_address = absl::StrCat("unix:", config.run_dir, "/edge-meta.sock");
}

void Declare(config::Schema& schema, ServiceBusConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("edgehub.address", &c.edgehub_address,
             "gRPC target of edgehub-svc; default unix:<run_dir>/edgehub.sock");
  schema
      .Add("edgehub.reconnect_max", &c.edgehub_reconnect_max,
           "longest pause between attempts to reach edgehub-svc")
      .Min(absl::Milliseconds(100));
  schema.Add("meta.address", &c.meta_address,
             "gRPC target of edge-meta-svc; default unix:<run_dir>/edge-meta.sock");
  schema
      .Add("meta.reconnect_max", &c.meta_reconnect_max,
           "longest pause between attempts to reach edge-meta-svc")
      .Min(absl::Milliseconds(100));
  schema.Add(
      "calls.allowed", &c.calls_allowed,
      "what the cloud may call, as in \"GET|POST http://127.0.0.1:8080/api\"; without methods: "
      "all; port *: any; default: nothing");
  schema.Add("calls.workers", &c.calls_workers, "calls at the same time").Min(1).Max(64);
  schema.Add("calls.waiting_max", &c.calls_waiting_max, "calls that may wait; more are refused")
      .Min(1)
      .Max(128);
  schema.Add("calls.timeout_max", &c.calls_timeout_max, "longest time that a call may take")
      .Min(absl::Milliseconds(100))
      .Max(absl::Hours(1));
  schema.Add("calls.ca", &c.calls_ca,
             "PEM file of the roots for https services; default: the system's");
  schema.Add("posts.listen", &c.posts_listen, "loopback address for local programs; empty: none");
  schema.Add("posts.target_urls", &c.posts_target_urls,
             "target URLs that local programs may name besides those of the box's rules");
  schema.Add("posts.timeout", &c.posts_timeout, "how long a local program waits for its answer")
      .Min(absl::Milliseconds(100));
  schema
      .AddBytes("posts.waiting_bytes_max", &c.posts_waiting_bytes_max,
                "posts that may wait for edgehub-svc; more are refused")
      .Min(512 << 10)
      .Max(8 << 20);
  schema.Check([&c]() -> absl::Status {
    SKERRY_RETURN_IF_ERROR(HttpAllowList::Parse("calls.allowed", c.calls_allowed).status());
    for (const std::string& url : c.posts_target_urls)
      SKERRY_RETURN_IF_ERROR(ParseHttpUrl("posts.target_urls", url).status());
    return absl::OkStatus();
  });
}

}  // namespace skerry::servicebus
