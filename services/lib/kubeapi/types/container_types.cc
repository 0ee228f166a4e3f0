// Containers of a pod, and what they refer to.
#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kContainerTypes[] = R"(
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
)";

}  // namespace skerry::kubeapi
