// One piece however long: it is the list of a pod's fields, read from top to bottom as Kubernetes'
// own reference is.
#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kPodTypes[] = R"(
package io.k8s.api.core.v1

type ObjectReference
  apiVersion string #5
  fieldPath string #7
  kind string #1
  name string #3
  namespace string #2
  resourceVersion string #6
  uid string #4

type LocalObjectReference
  name string #1

type KeyToPath
  key string required
  mode int32
  path string required

type ConfigMapKeySelector
  key string required
  name string
  optional bool

type SecretKeySelector
  key string required
  name string
  optional bool

type ObjectFieldSelector
  apiVersion string default="v1"
  fieldPath string required

type ResourceFieldSelector
  containerName string
  divisor quantity
  resource string required

type EnvVarSource
  configMapKeyRef ConfigMapKeySelector
  fieldRef ObjectFieldSelector
  resourceFieldRef ResourceFieldSelector
  secretKeyRef SecretKeySelector

type EnvVar
  name string required
  value string
  valueFrom EnvVarSource

type ConfigMapEnvSource
  name string
  optional bool

type SecretEnvSource
  name string
  optional bool

type EnvFromSource
  configMapRef ConfigMapEnvSource
  prefix string
  secretRef SecretEnvSource

type ContainerPort
  containerPort int32 required min=1 max=65535
  hostIP string
  hostPort int32 min=0 max=65535
  name string
  protocol string default="TCP" enum=SCTP|TCP|UDP

type HTTPHeader
  name string required
  value string

type HTTPGetAction
  host string
  httpHeaders []HTTPHeader
  path string default="/"
  port intstr required
  scheme string default="HTTP" enum=HTTP|HTTPS

type ExecAction
  command []string

type TCPSocketAction
  host string
  port intstr required

type GRPCAction
  port int32 required
  service string default=""

type SleepAction
  seconds int64 required

type LifecycleHandler
  exec ExecAction
  httpGet HTTPGetAction
  sleep SleepAction
  tcpSocket TCPSocketAction

type Lifecycle
  postStart LifecycleHandler
  preStop LifecycleHandler

type Probe
  exec ExecAction
  failureThreshold int32 default=3 min=1
  grpc GRPCAction
  httpGet HTTPGetAction
  initialDelaySeconds int32 min=0
  periodSeconds int32 default=10 min=1
  successThreshold int32 default=1 min=1
  tcpSocket TCPSocketAction
  terminationGracePeriodSeconds int64
  timeoutSeconds int32 default=1 min=1

type ResourceClaim
  name string required
  request string

type ContainerResizePolicy
  resourceName string required
  restartPolicy string required

type ResourceRequirements
  claims []ResourceClaim
  limits {}quantity
  requests {}quantity

type Capabilities
  add []string
  drop []string

type SELinuxOptions
  level string
  role string
  type string
  user string

type SeccompProfile
  localhostProfile string
  type string required

type AppArmorProfile
  localhostProfile string
  type string required

type WindowsSecurityContextOptions
  gmsaCredentialSpec string
  gmsaCredentialSpecName string
  hostProcess bool
  runAsUserName string

type SecurityContext
  allowPrivilegeEscalation bool
  appArmorProfile AppArmorProfile
  capabilities Capabilities
  privileged bool
  procMount string
  readOnlyRootFilesystem bool
  runAsGroup int64 min=0
  runAsNonRoot bool
  runAsUser int64 min=0
  seLinuxOptions SELinuxOptions
  seccompProfile SeccompProfile
  windowsOptions WindowsSecurityContextOptions

type VolumeDevice
  devicePath string required
  name string required

type VolumeMount
  mountPath string required
  mountPropagation string enum=Bidirectional|HostToContainer|None
  name string required
  readOnly bool
  recursiveReadOnly string
  subPath string
  subPathExpr string

type Container
  args []string
  command []string
  env []EnvVar merge=name
  envFrom []EnvFromSource
  image string
  imagePullPolicy string enum=Always|IfNotPresent|Never
  lifecycle Lifecycle
  livenessProbe Probe
  name string required
  ports []ContainerPort merge=containerPort
  readinessProbe Probe
  resizePolicy []ContainerResizePolicy
  resources ResourceRequirements
  restartPolicy string
  securityContext SecurityContext
  startupProbe Probe
  stdin bool
  stdinOnce bool
  terminationMessagePath string default="/dev/termination-log"
  terminationMessagePolicy string default="File" enum=FallbackToLogsOnError|File
  tty bool
  volumeDevices []VolumeDevice merge=devicePath
  volumeMounts []VolumeMount merge=mountPath
  workingDir string

type ConfigMapVolumeSource
  defaultMode int32 default=420 min=0 max=511
  items []KeyToPath
  name string
  optional bool

type SecretVolumeSource
  defaultMode int32 default=420 min=0 max=511
  items []KeyToPath
  optional bool
  secretName string

type EmptyDirVolumeSource
  medium string
  sizeLimit quantity

type HostPathVolumeSource
  path string required
  type string default=""

type DownwardAPIVolumeFile
  fieldRef ObjectFieldSelector
  mode int32
  path string required
  resourceFieldRef ResourceFieldSelector

type DownwardAPIVolumeSource
  defaultMode int32 default=420 min=0 max=511
  items []DownwardAPIVolumeFile

type ConfigMapProjection
  items []KeyToPath
  name string
  optional bool

type SecretProjection
  items []KeyToPath
  name string
  optional bool

type DownwardAPIProjection
  items []DownwardAPIVolumeFile

type ServiceAccountTokenProjection
  audience string
  expirationSeconds int64 default=3600
  path string required

type VolumeProjection
  clusterTrustBundle object
  configMap ConfigMapProjection
  downwardAPI DownwardAPIProjection
  secret SecretProjection
  serviceAccountToken ServiceAccountTokenProjection

type ProjectedVolumeSource
  defaultMode int32 default=420 min=0 max=511
  sources []VolumeProjection

type PersistentVolumeClaimVolumeSource
  claimName string required
  readOnly bool

type NFSVolumeSource
  path string required
  readOnly bool
  server string required

type CSIVolumeSource
  driver string required
  fsType string
  nodePublishSecretRef LocalObjectReference
  readOnly bool
  volumeAttributes {}string

type Volume
  awsElasticBlockStore object
  azureDisk object
  azureFile object
  cephfs object
  cinder object
  configMap ConfigMapVolumeSource
  csi CSIVolumeSource
  downwardAPI DownwardAPIVolumeSource
  emptyDir EmptyDirVolumeSource
  ephemeral object
  fc object
  flexVolume object
  flocker object
  gcePersistentDisk object
  gitRepo object
  glusterfs object
  hostPath HostPathVolumeSource
  image object
  iscsi object
  name string required
  nfs NFSVolumeSource
  persistentVolumeClaim PersistentVolumeClaimVolumeSource
  photonPersistentDisk object
  portworxVolume object
  projected ProjectedVolumeSource
  quobyte object
  rbd object
  scaleIO object
  secret SecretVolumeSource
  storageos object
  vsphereVolume object

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
