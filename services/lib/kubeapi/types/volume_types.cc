// Volumes of a pod.
#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kVolumeTypes[] = R"(
package io.k8s.api.core.v1

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
)";

}  // namespace skerry::kubeapi
