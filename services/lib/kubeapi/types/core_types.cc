#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kCoreTypes[] = R"(
package io.k8s.api.core.v1

type NamespaceCondition
  lastTransitionTime time
  message string
  reason string
  status string
  type string

type NamespaceSpec
  finalizers []string

type NamespaceStatus
  conditions []NamespaceCondition merge=type
  phase string

kind Namespace
  spec NamespaceSpec
  status NamespaceStatus

type Taint
  effect string required enum=NoExecute|NoSchedule|PreferNoSchedule
  key string required
  timeAdded time
  value string

type NodeSpec
  configSource object
  externalID string
  podCIDR string
  podCIDRs []string mergeset
  providerID string
  taints []Taint
  unschedulable bool

type NodeCondition
  lastHeartbeatTime time
  lastTransitionTime time
  message string
  reason string
  status string
  type string

type NodeAddress
  address string
  type string

type DaemonEndpoint
  Port int32

type NodeDaemonEndpoints
  kubeletEndpoint DaemonEndpoint

type NodeSwapStatus
  capacity int64

type NodeSystemInfo
  architecture string
  bootID string
  containerRuntimeVersion string
  kernelVersion string
  kubeProxyVersion string
  kubeletVersion string
  machineID string
  operatingSystem string
  osImage string
  swap NodeSwapStatus
  systemUUID string

type ContainerImage
  names []string
  sizeBytes int64

type AttachedVolume
  devicePath string
  name string

type NodeStatus
  addresses []NodeAddress merge=type
  allocatable {}quantity
  capacity {}quantity
  conditions []NodeCondition merge=type
  config object
  daemonEndpoints NodeDaemonEndpoints
  features object
  images []ContainerImage
  nodeInfo NodeSystemInfo
  phase string
  runtimeHandlers []object
  volumesAttached []AttachedVolume
  volumesInUse []string

kind Node
  spec NodeSpec
  status NodeStatus

kind ConfigMap
  binaryData {}bytes
  data {}string
  immutable bool

kind Secret
  data {}bytes
  immutable bool
  stringData {}string
  type string default="Opaque"

kind ServiceAccount
  automountServiceAccountToken bool
  imagePullSecrets []LocalObjectReference
  secrets []ObjectReference merge=name

type EventSource
  component string
  host string

type EventSeries
  count int32
  lastObservedTime microtime

kind Event
  action string
  count int32
  eventTime microtime
  firstTimestamp time
  involvedObject ObjectReference
  lastTimestamp time
  message string
  reason string
  related ObjectReference
  reportingComponent string default=""
  reportingInstance string default=""
  series EventSeries
  source EventSource default={}
  type string

package io.k8s.api.coordination.v1

type LeaseSpec
  acquireTime microtime
  holderIdentity string
  leaseDurationSeconds int32
  leaseTransitions int32
  preferredHolder string
  renewTime microtime
  strategy string

kind Lease
  spec LeaseSpec

package io.k8s.api.authorization.v1

type ResourceAttributes
  fieldSelector object
  group string
  labelSelector object
  name string
  namespace string
  resource string
  subresource string
  verb string
  version string

type NonResourceAttributes
  path string
  verb string

type SelfSubjectAccessReviewSpec
  nonResourceAttributes NonResourceAttributes
  resourceAttributes ResourceAttributes

type SubjectAccessReviewStatus
  allowed bool
  denied bool
  evaluationError string
  reason string

kind SelfSubjectAccessReview
  spec SelfSubjectAccessReviewSpec
  status SubjectAccessReviewStatus

package io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1

type CustomResourceDefinitionNames
  categories []string
  kind string required
  listKind string
  plural string required
  shortNames []string
  singular string

type CustomResourceColumnDefinition
  description string
  format string
  jsonPath string required
  name string required
  priority int32
  type string required

type CustomResourceValidation
  openAPIV3Schema object

type CustomResourceSubresources
  scale object
  status object

type SelectableField
  jsonPath string required

type CustomResourceDefinitionVersion
  additionalPrinterColumns []CustomResourceColumnDefinition
  deprecated bool
  deprecationWarning string
  name string required
  schema CustomResourceValidation
  selectableFields []SelectableField
  served bool default=false
  storage bool default=false
  subresources CustomResourceSubresources

type CustomResourceConversion
  strategy string default="None"
  webhook object

type CustomResourceDefinitionSpec
  conversion CustomResourceConversion default={"strategy":"None"}
  group string required
  names CustomResourceDefinitionNames
  preserveUnknownFields bool
  scope string required enum=Cluster|Namespaced
  versions []CustomResourceDefinitionVersion required

type CustomResourceDefinitionCondition
  lastTransitionTime time
  message string
  reason string
  status string
  type string

type CustomResourceDefinitionStatus
  acceptedNames CustomResourceDefinitionNames
  conditions []CustomResourceDefinitionCondition
  storedVersions []string

kind CustomResourceDefinition
  spec CustomResourceDefinitionSpec
  status CustomResourceDefinitionStatus
)";

}  // namespace skerry::kubeapi
