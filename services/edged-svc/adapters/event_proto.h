// Events as they travel.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_EVENT_PROTO_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_EVENT_PROTO_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "api/skerry/edged/v1/event.pb.h"
#include "services/edged-svc/core/event_correlator.h"

namespace skerry::edged {

inline void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  out->set_seconds(absl::ToUnixSeconds(time));
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(out->seconds()))));
}

inline v1::KubernetesEvent ToProto(const EventRecord& event) {
  v1::KubernetesEvent out;
  out.set_id(event.id);
  out.set_kind(event.about.kind);
  out.set_namespace_(event.about.name_space);
  out.set_name(event.about.name);
  out.set_uid(event.about.uid);
  out.set_field_path(event.about.field_path);
  out.set_type(event.type == EventType::kNormal ? v1::KubernetesEvent::TYPE_NORMAL
                                                : v1::KubernetesEvent::TYPE_WARNING);
  out.set_reason(event.reason);
  out.set_message(event.message);
  SetTime(event.first, out.mutable_first_time());
  SetTime(event.last, out.mutable_last_time());
  out.set_count(
      static_cast<int32_t>(std::min<int64_t>(event.count, std::numeric_limits<int32_t>::max())));
  return out;
}

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_EVENT_PROTO_H_
