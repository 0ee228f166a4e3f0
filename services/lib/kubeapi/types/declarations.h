// The Kubernetes types that are served, as text for ParseTypes (schema_text.h). One line per field:
// name, type, attributes; the names, merge keys and defaults are those of Kubernetes 1.32. "#n" is
// the field's number in Kubernetes' protobuf form; a type without numbers is served as JSON only.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_TYPES_DECLARATIONS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_TYPES_DECLARATIONS_H_

namespace skerry::kubeapi {

extern const char kMetaTypes[];
extern const char kContainerTypes[];
extern const char kVolumeTypes[];
extern const char kPodTypes[];
extern const char kCoreTypes[];

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_TYPES_DECLARATIONS_H_
