// Pods: where they may run, and how they are.
#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kPodTypes[] = R"(
package io.k8s.api.core.v1

type NodeSelectorRequirement
  key string required
  operator string required enum=DoesNotExist|Exists|Gt|In|Lt|NotIn
  values []string

type NodeSelectorTerm
  matchExpressions []NodeSelectorRequirement
  matchFields []NodeSelectorRequirement

type NodeSelector
  nodeSelectorTerms []NodeSelectorTerm required

type PreferredSchedulingTerm
  preference NodeSelectorTerm
  weight int32 required

type NodeAffinity
  preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector

type Affinity
  nodeAffinity NodeAffinity
  podAffinity object
  podAntiAffinity object

type Toleration
  effect string enum=NoExecute|NoSchedule|PreferNoSchedule
  key string
  operator string enum=Equal|Exists
  tolerationSeconds int64
  value string

type Sysctl
  name string required
  value string required

type PodSecurityContext
  appArmorProfile AppArmorProfile
  fsGroup int64 min=0
  fsGroupChangePolicy string
  runAsGroup int64 min=0
  runAsNonRoot bool
  runAsUser int64 min=0
  seLinuxChangePolicy string
  seLinuxOptions SELinuxOptions
  seccompProfile SeccompProfile
  supplementalGroups []int64
  supplementalGroupsPolicy string
  sysctls []Sysctl
  windowsOptions WindowsSecurityContextOptions

type PodDNSConfigOption
  name string
  value string

type PodDNSConfig
  nameservers []string
  options []PodDNSConfigOption
  searches []string

type HostAlias
  hostnames []string
  ip string required

type PodReadinessGate
  conditionType string required

type PodSchedulingGate
  name string required

type PodOS
  name string required

type TopologySpreadConstraint
  labelSelector io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector
  matchLabelKeys []string
  maxSkew int32 required
  minDomains int32
  nodeAffinityPolicy string
  nodeTaintsPolicy string
  topologyKey string required
  whenUnsatisfiable string required

type PodResourceClaim
  name string required
  resourceClaimName string
  resourceClaimTemplateName string

type PodSpec
  activeDeadlineSeconds int64 min=1
  affinity Affinity
  automountServiceAccountToken bool
  containers []Container merge=name required
  dnsConfig PodDNSConfig
  dnsPolicy string default="ClusterFirst" enum=ClusterFirst|ClusterFirstWithHostNet|Default|None
  enableServiceLinks bool default=true
  ephemeralContainers []object merge=name
  hostAliases []HostAlias merge=ip
  hostIPC bool
  hostNetwork bool
  hostPID bool
  hostUsers bool
  hostname string
  imagePullSecrets []LocalObjectReference merge=name
  initContainers []Container merge=name
  nodeName string
  nodeSelector {}string
  os PodOS
  overhead {}quantity
  preemptionPolicy string
  priority int32
  priorityClassName string
  readinessGates []PodReadinessGate
  resourceClaims []PodResourceClaim merge=name retainKeys
  resources ResourceRequirements
  restartPolicy string default="Always" enum=Always|Never|OnFailure
  runtimeClassName string
  schedulerName string default="default-scheduler"
  schedulingGates []PodSchedulingGate merge=name
  securityContext PodSecurityContext default={}
  serviceAccount string
  serviceAccountName string
  setHostnameAsFQDN bool
  shareProcessNamespace bool
  subdomain string
  terminationGracePeriodSeconds int64 default=30 min=0
  tolerations []Toleration
  topologySpreadConstraints []TopologySpreadConstraint merge=topologyKey
  volumes []Volume merge=name retainKeys

type PodCondition
  lastProbeTime time
  lastTransitionTime time
  message string
  observedGeneration int64
  reason string
  status string
  type string

type PodIP
  ip string

type HostIP
  ip string

type ContainerStateRunning
  startedAt time

type ContainerStateTerminated
  containerID string
  exitCode int32
  finishedAt time
  message string
  reason string
  signal int32
  startedAt time

type ContainerStateWaiting
  message string
  reason string

type ContainerState
  running ContainerStateRunning
  terminated ContainerStateTerminated
  waiting ContainerStateWaiting

type VolumeMountStatus
  mountPath string
  name string
  readOnly bool
  recursiveReadOnly string

type ContainerStatus
  allocatedResources {}quantity
  allocatedResourcesStatus []object
  containerID string
  image string
  imageID string
  lastState ContainerState
  name string
  ready bool
  resources ResourceRequirements
  restartCount int32
  started bool
  state ContainerState
  user object
  volumeMounts []VolumeMountStatus merge=mountPath

type PodStatus
  conditions []PodCondition merge=type
  containerStatuses []ContainerStatus
  ephemeralContainerStatuses []ContainerStatus
  hostIP string
  hostIPs []HostIP
  initContainerStatuses []ContainerStatus
  message string
  nominatedNodeName string
  observedGeneration int64
  phase string enum=Failed|Pending|Running|Succeeded|Unknown
  podIP string
  podIPs []PodIP merge=ip
  qosClass string
  reason string
  resize string
  resourceClaimStatuses []object
  startTime time

kind Pod
  spec PodSpec
  status PodStatus

kind Binding
  target ObjectReference #2
)";

}  // namespace skerry::kubeapi
