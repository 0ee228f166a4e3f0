// Conversion between the link's messages and the values that the session machines speak.
#ifndef SKERRY_SERVICES_LIB_LINK_WIRE_H_
#define SKERRY_SERVICES_LIB_LINK_WIRE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/link/v1/link.pb.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// From a peer: every bound of section 7 is checked. A violation names the field. Bytes are moved
// out of `message`.
absl::StatusOr<EdgeFrame> FromWire(v1::EdgeFrame message);
absl::StatusOr<CloudFrame> FromWire(v1::CloudFrame message);

v1::EdgeFrame ToWire(EdgeFrame frame);
v1::CloudFrame ToWire(CloudFrame frame);

// The parts that the spoke services share with the link. From…: bounds are checked as above.
absl::StatusOr<Report> FromWire(v1::Report message);
v1::Report ToWire(Report report);
absl::StatusOr<ResourceChange> FromWire(v1::ResourceChange message);
v1::ResourceChange ToWire(ResourceChange change);
// Events of one stream, at least one, each within its bounds. Sequences are not looked at.
absl::StatusOr<std::vector<StreamEvent>> EventsFromWire(
    google::protobuf::RepeatedPtrField<v1::Event> events);
void EventsToWire(std::vector<StreamEvent> events,
                  google::protobuf::RepeatedPtrField<v1::Event>& out);
absl::StatusOr<std::vector<Holding>> HoldingsFromWire(
    google::protobuf::RepeatedPtrField<v1::Holding> holdings);
absl::StatusOr<std::vector<Rejection>> RejectionsFromWire(
    const google::protobuf::RepeatedPtrField<v1::Rejection>& rejections);
// OK where `key` is a command's, within its bound.
absl::Status CheckCommandKey(const std::string& key);
absl::Time FromProtoTime(const google::protobuf::Timestamp& time);
absl::Duration FromProtoDuration(const google::protobuf::Duration& duration);
void ToProtoDuration(absl::Duration duration, google::protobuf::Duration& out);
// OK where `type` is a resource type, or the name of a stream, within its bound.
absl::Status CheckType(const std::string& type);

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_WIRE_H_
