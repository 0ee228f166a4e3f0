#include "services/edged-svc/config.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"

namespace skerry::edged {
namespace {

bool UsesDocker(const EdgedConfig& c) {
  return c.runtime_kind == "docker" ||
         (c.runtime_kind == "auto" && absl::EndsWith(c.runtime_endpoint, "/docker.sock"));
}

}  // namespace

void Declare(config::Schema& schema, EdgedConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("node.name", &c.node_name, "name of this node").Required();
  schema.Add(
      "node.address", &c.node_address,
      "address that others reach this node at; default: that of the default route's interface");
  schema.Add("state_dir", &c.state_dir, "folder of edged.db").Required();
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("listen", &c.listen, "gRPC address for operators; default unix:<run_dir>/edged.sock");
  schema.Add("meta.address", &c.meta_address,
             "gRPC target of edge-meta-svc; default unix:<run_dir>/edge-meta.sock");
  schema.Add("edgehub.address", &c.edgehub_address,
             "gRPC target of edgehub-svc, for streams; default unix:<run_dir>/edgehub.sock");
  schema
      .Add("meta.reconnect_max", &c.meta_reconnect_max,
           "longest pause between attempts to reach edge-meta-svc and edgehub-svc")
      .Min(absl::Milliseconds(10));
  schema.Add("runtime.endpoint", &c.runtime_endpoint, "container runtime's socket").Required();
  schema
      .Add(
          "runtime.kind", &c.runtime_kind,
          "how it is spoken to: CRI (containerd, CRI-O) or Docker Engine's API; auto: docker for a "
          "socket named docker.sock")
      .OneOf({"auto", "cri", "docker"});
  schema.Add("runtime.restrict_oom_score_adj", &c.restrict_oom_score_adj,
             "for a Docker that may not lower it (rootless): containers ask for none below 0");
  schema.Add("image.endpoint", &c.image_endpoint,
             "image service's CRI socket; default: the runtime's; not for Docker");
  schema.Add("runtime.relist_period", &c.relist_period, "pause between lists of what runs")
      .Min(absl::Milliseconds(50));
  schema.Add("root_dir", &c.root_dir, "folder of the pods' volumes; default <state_dir>/edged");
  schema.Add("pod_log_dir", &c.pod_log_dir,
             "folder of the containers' logs; default <state_dir>/logs/pods");
  schema
      .AddBytes("container_log.bytes_max", &c.container_log_bytes_max,
                "size at which a container's log is rotated; 0: never")
      .Min(0);
  schema
      .Add("container_log.files_max", &c.container_log_files_max,
           "most files of a container's log, with the one that is being written")
      .Min(2)
      .Max(1000);
  schema.Add("container_log.interval", &c.container_log_interval, "pause between looks at the logs")
      .Min(absl::Milliseconds(10));
  schema.Add(
      "runtime.sandbox_image", &c.sandbox_image,
      "image of the pods' sandboxes, which is never removed; default: what the runtime says, for "
      "Docker registry.k8s.io/pause:3.9");
  schema
      .Add("image_gc.high_threshold_percent", &c.image_gc_high_threshold_percent,
           "usage of the images' disk from which unused images are removed")
      .Min(1)
      .Max(100);
  schema
      .Add("image_gc.low_threshold_percent", &c.image_gc_low_threshold_percent,
           "usage of the images' disk down to which they are removed")
      .Min(0)
      .Max(99);
  schema
      .Add("image_gc.age_min", &c.image_gc_age_min,
           "how long an image has been here before it may be removed")
      .Min(absl::ZeroDuration());
  schema.Add("image_gc.interval", &c.image_gc_interval, "pause between looks at the images")
      .Min(absl::Milliseconds(10));
  schema
      .Add("disk_pressure.available_percent_min", &c.disk_available_percent_min,
           "DiskPressure where less of root_dir's disk is free")
      .Min(0)
      .Max(99);
  schema
      .Add("disk_pressure.images_available_percent_min", &c.images_available_percent_min,
           "DiskPressure where less of the images' disk is free")
      .Min(0)
      .Max(99);
  schema.Add("cgroup_parent", &c.cgroup_parent, "cgroup under which pods run").Required();
  schema.Add("pods_max", &c.pods_max, "most pods on this node").Min(1).Max(1000);
  schema.Add("workers", &c.workers, "pods that take a step at the same time").Min(1).Max(64);
  schema.Add("dns.servers", &c.dns_servers,
             "DNS servers of pods with dnsPolicy ClusterFirst; default: this box's");
  schema.Add("dns.domain", &c.dns_domain, "DNS domain of the cluster, such as cluster.local");
  schema.Check([&c]() -> absl::Status {
    if (!NodeName::Parse(c.node_name).ok())
      return InvalidField("node.name", c.node_name, "use an RFC 1123 subdomain, as in edge-1");
    if (c.image_gc_low_threshold_percent >= c.image_gc_high_threshold_percent)
      return InvalidField("image_gc.low_threshold_percent",
                          absl::StrCat(c.image_gc_low_threshold_percent),
                          "use less than image_gc.high_threshold_percent");
    if (UsesDocker(c) && !c.image_endpoint.empty())
      return InvalidField("image.endpoint", c.image_endpoint,
                          "leave it out: Docker's images are at runtime.endpoint");
    if (!absl::StartsWith(c.cgroup_parent, "/") || absl::StrContains(c.cgroup_parent, ".."))
      return InvalidField("cgroup_parent", c.cgroup_parent,
                          "use an absolute path, as in /kubepods");
    return absl::OkStatus();
  });
}

void FillDefaults(EdgedConfig& c) {
  if (c.listen.empty()) c.listen = absl::StrCat("unix:", c.run_dir, "/edged.sock");
  if (c.meta_address.empty()) c.meta_address = absl::StrCat("unix:", c.run_dir, "/edge-meta.sock");
  if (c.edgehub_address.empty())
    c.edgehub_address = absl::StrCat("unix:", c.run_dir, "/edgehub.sock");
  c.runtime_kind = UsesDocker(c) ? "docker" : "cri";
  if (c.root_dir.empty()) c.root_dir = c.state_dir + "/edged";
  if (c.pod_log_dir.empty()) c.pod_log_dir = c.state_dir + "/logs/pods";
}

}  // namespace skerry::edged
