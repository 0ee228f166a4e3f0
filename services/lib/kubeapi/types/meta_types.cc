#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kMetaTypes[] = R"(
package io.k8s.apimachinery.pkg.apis.meta.v1

type OwnerReference
  apiVersion string #5 required
  blockOwnerDeletion bool #7
  controller bool #6
  kind string #1 required
  name string #3 required
  uid string #4 required

type ManagedFieldsEntry
  apiVersion string #3
  fieldsType string #6
  fieldsV1 object #7
  manager string #1
  operation string #2
  subresource string #8
  time time #4

type ObjectMeta
  annotations {}string #12
  creationTimestamp time #8
  deletionGracePeriodSeconds int64 #10
  deletionTimestamp time #9
  finalizers []string #14 mergeset
  generateName string #2
  generation int64 #7
  labels {}string #11
  managedFields []ManagedFieldsEntry #17
  name string #1
  namespace string #3
  ownerReferences []OwnerReference #13 merge=uid
  resourceVersion string #6
  selfLink string #4
  uid string #5

type Preconditions
  resourceVersion string #2
  uid string #1

type DeleteOptions
  apiVersion string
  dryRun []string #5
  gracePeriodSeconds int64 #1
  ignoreStoreReadErrorWithClusterBreakingPotential bool #6
  kind string
  orphanDependents bool #3
  preconditions Preconditions #2
  propagationPolicy string #4

type Condition
  lastTransitionTime time
  message string
  observedGeneration int64
  reason string
  status string
  type string

type LabelSelectorRequirement
  key string required
  operator string required
  values []string

type LabelSelector
  matchExpressions []LabelSelectorRequirement
  matchLabels {}string
)";

}  // namespace skerry::kubeapi
