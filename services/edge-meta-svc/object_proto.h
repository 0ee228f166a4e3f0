// Objects as MetaService shows them.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_OBJECT_PROTO_H_
#define SKERRY_SERVICES_EDGE_META_SVC_OBJECT_PROTO_H_

#include "api/skerry/meta/v1/meta_service.pb.h"
#include "services/lib/watch/change.h"

namespace skerry::edgemeta {

inline void FillObject(const watch::Change& change, meta::v1::Object& object) {
  object.set_type(change.type);
  object.set_key(change.key);
  object.set_version(change.version);
  object.set_revision(change.revision);
  object.set_object(change.object);
}

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_OBJECT_PROTO_H_
