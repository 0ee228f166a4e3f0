#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kCoreTypes[] = R"(
package io.k8s.api.core.v1

type NamespaceCondition
  lastTransitionTime time #4
  message string #6
  reason string #5
  status string #2
  type string #1

type NamespaceSpec
  finalizers []string #1

type NamespaceStatus
  conditions []NamespaceCondition #2 merge=type
  phase string #1

kind Namespace
  spec NamespaceSpec #2
  status NamespaceStatus #3

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
  binaryData {}bytes #3
  data {}string #2
  immutable bool #4

kind Secret
  data {}bytes #2
  immutable bool #5
  stringData {}string #4
  type string #3 default="Opaque"

kind ServiceAccount
  automountServiceAccountToken bool #4
  imagePullSecrets []LocalObjectReference #3
  secrets []ObjectReference #2 merge=name

type EventSource
  component string #1
  host string #2

type EventSeries
  count int32 #1
  lastObservedTime microtime #2

kind Event
  action string #12
  count int32 #8
  eventTime microtime #10
  firstTimestamp time #6
  involvedObject ObjectReference #2
  lastTimestamp time #7
  message string #4
  reason string #3
  related ObjectReference #13
  reportingComponent string #14 default=""
  reportingInstance string #15 default=""
  series EventSeries #11
  source EventSource #5 default={}
  type string #9

package io.k8s.api.coordination.v1

type LeaseSpec
  acquireTime microtime #3
  holderIdentity string #1
  leaseDurationSeconds int32 #2
  leaseTransitions int32 #5
  preferredHolder string #7
  renewTime microtime #4
  strategy string #6

kind Lease
  spec LeaseSpec #2

package io.k8s.api.authorization.v1

type ResourceAttributes
  fieldSelector object
  group string #3
  labelSelector object
  name string #7
  namespace string #1
  resource string #5
  subresource string #6
  verb string #2
  version string #4

type NonResourceAttributes
  path string #1
  verb string #2

type SelfSubjectAccessReviewSpec
  nonResourceAttributes NonResourceAttributes #2
  resourceAttributes ResourceAttributes #1

type SubjectAccessReviewStatus
  allowed bool #1
  denied bool #4
  evaluationError string #3
  reason string #2

kind SelfSubjectAccessReview
  spec SelfSubjectAccessReviewSpec #2
  status SubjectAccessReviewStatus #3

package io.k8s.api.authentication.v1

type UserInfo
  extra object
  groups []string #3
  uid string #2
  username string #1

type SelfSubjectReviewStatus
  userInfo UserInfo #1

kind SelfSubjectReview
  status SelfSubjectReviewStatus #2

type BoundObjectReference
  apiVersion string #2
  kind string #1
  name string #3
  uid string #4

type TokenRequestSpec
  audiences []string #1
  boundObjectRef BoundObjectReference #3
  expirationSeconds int64 #4

type TokenRequestStatus
  expirationTimestamp time #2
  token string #1

kind TokenRequest
  spec TokenRequestSpec #2
  status TokenRequestStatus #3

type TokenReviewSpec
  audiences []string #2
  token string #1

type TokenReviewStatus
  audiences []string #4
  authenticated bool #1
  error string #3
  user UserInfo #2

kind TokenReview
  spec TokenReviewSpec #2
  status TokenReviewStatus #3

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
