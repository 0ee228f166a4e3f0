#include "services/standalone-api-svc/default_policy.h"

namespace skerry::standaloneapi {

const char kDefaultPolicy[] = R"(# Who may do what on this API server. What no rule allows is denied.
# Read again when it changes. A user is a certificate's CN or a token's name, groups are the certificate's Os.
rules:
  # admin.kubeconfig, and the controllers inside the server.
  - name: administrators
    subjects: {groups: ["system:masters"]}
    allow:
      - {verbs: ["*"], apiGroups: ["*"], resources: ["*"]}
      - {verbs: ["*"], nonResourceURLs: ["*"]}

  # edge-controller.kubeconfig.
  - name: skerry-controllers
    subjects: {groups: ["skerry:controllers"]}
    allow:
      - {verbs: [get, list, watch], apiGroups: [""], resources: [namespaces, pods, configmaps, secrets, serviceaccounts, nodes]}
      - {verbs: [create, update, patch, delete], apiGroups: [""], resources: [nodes]}
      - {verbs: [get, update, patch], apiGroups: [""], resources: [nodes/status, pods/status]}
      - {verbs: [delete, patch, update], apiGroups: [""], resources: [pods]}
      - {verbs: [get, create, patch, update], apiGroups: [""], resources: [events]}
      - {verbs: [get, list, watch, create, update, patch, delete], apiGroups: [coordination.k8s.io], resources: [leases]}
      - {verbs: [get, list, watch, create, update, patch, delete], apiGroups: [devices.kubeedge.io, reliablesyncs.kubeedge.io, rules.kubeedge.io, apps.kubeedge.io, policy.kubeedge.io, operations.kubeedge.io], resources: ["*"]}

  - name: everyone-known
    subjects: {groups: ["system:authenticated"]}
    allow:
      - {verbs: [create], apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews]}
      - {verbs: [get], nonResourceURLs: [/api, "/api/*", /apis, "/apis/*", /openapi, "/openapi/*", /version, /healthz, /livez, /readyz]}

  - name: probes
    subjects: {groups: ["system:unauthenticated"]}
    allow:
      - {verbs: [get], nonResourceURLs: [/version, /healthz, /livez, /readyz]}
)";

}  // namespace skerry::standaloneapi
