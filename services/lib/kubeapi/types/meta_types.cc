#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {

const char kMetaTypes[] = R"(
package io.k8s.apimachinery.pkg.apis.meta.v1

type OwnerReference
  apiVersion string required
  blockOwnerDeletion bool
  controller bool
  kind string required
  name string required
  uid string required

type ManagedFieldsEntry
  apiVersion string
  fieldsType string
  fieldsV1 object
  manager string
  operation string
  subresource string
  time time

type ObjectMeta
  annotations {}string
  creationTimestamp time
  deletionGracePeriodSeconds int64
  deletionTimestamp time
  finalizers []string mergeset
  generateName string
  generation int64
  labels {}string
  managedFields []ManagedFieldsEntry
  name string
  namespace string
  ownerReferences []OwnerReference merge=uid
  resourceVersion string
  selfLink string
  uid string

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
