#include "services/lib/hubclient/hub_frames.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/proto_time.h"

namespace skerry::hubclient {
namespace {

namespace hub = skerry::edgehub::v1;

// The link's (services/lib/link/frames.h), but for the last.
constexpr size_t kEventsMax = 1024;
constexpr size_t kKeyBytesMax = 320;
constexpr size_t kValueBytesMax = 256u << 10;
constexpr size_t kBatchBytesMax = 1u << 20;

hub::EventStream::Priority ToProto(EventStream::Priority priority) {
  switch (priority) {
    case EventStream::Priority::kAlarm:
      return hub::EventStream::PRIORITY_ALARM;
    case EventStream::Priority::kBulk:
      return hub::EventStream::PRIORITY_BULK;
    case EventStream::Priority::kTelemetry:
      break;
  }
  return hub::EventStream::PRIORITY_TELEMETRY;
}

}  // namespace

hub::SpokeFrame RegistrationOf(const std::string& spoke,
                               const std::vector<std::string>& report_types,
                               const std::vector<EventStream>& event_streams,
                               const std::vector<std::string>& command_types) {
  hub::SpokeFrame frame;
  hub::Register& message = *frame.mutable_register_();
  message.set_spoke(spoke);
  for (const std::string& type : report_types) message.add_report_types(type);
  for (const EventStream& stream : event_streams) {
    hub::EventStream& out = *message.add_event_streams();
    out.set_name(stream.name);
    out.set_priority(ToProto(stream.priority));
    out.set_when_full(stream.when_full == EventStream::WhenFull::kRefuse
                          ? hub::EventStream::WHEN_FULL_REFUSE
                          : hub::EventStream::WHEN_FULL_DROP_OLDEST);
  }
  for (const std::string& type : command_types) message.add_command_types(type);
  return frame;
}

hub::SpokeFrame FrameOf(uint64_t request_id, const Report& report) {
  hub::SpokeFrame frame;
  hub::PutReport& put = *frame.mutable_put_report();
  put.set_request_id(request_id);
  put.mutable_report()->set_type(report.type);
  put.mutable_report()->set_key(report.key);
  put.mutable_report()->set_generation(report.generation);
  put.mutable_report()->set_value(report.value);
  return frame;
}

hub::SpokeFrame FrameOf(uint64_t request_id, const EventBatch& batch, size_t first) {
  hub::SpokeFrame frame;
  hub::PutEvents& put = *frame.mutable_put_events();
  put.set_request_id(request_id);
  put.set_stream(batch.stream);
  put.set_producer(batch.producer);
  for (size_t i = first; i < batch.events.size(); ++i) {
    const Event& event = batch.events[i];
    hub::PutEvents::Event& out = *put.add_events();
    out.set_producer_sequence(event.producer_sequence);
    *out.mutable_time() = rpc::ToProto(event.time);
    out.set_key(event.key);
    out.set_value(event.value);
  }
  return frame;
}

size_t BytesOf(const EventBatch& batch) {
  size_t bytes = batch.stream.size() + batch.producer.size() + 256;
  for (const Event& event : batch.events) {
    bytes += event.key.size() + event.value.size() + sizeof(Event);
  }
  return bytes;
}

absl::Status CheckBatch(const EventBatch& batch) {
  if (batch.events.empty() || batch.events.size() > kEventsMax) {
    return InvalidField("events", absl::StrCat(batch.events.size(), " events"),
                        absl::StrCat("put 1 to ", kEventsMax));
  }
  uint64_t last = 0;
  size_t bytes = 0;
  for (const Event& event : batch.events) {
    if (bytes > kBatchBytesMax) {
      return InvalidField("events", absl::StrCat("more than ", bytes, " bytes"),
                          absl::StrCat("put ", kBatchBytesMax, ", and one more event"));
    }
    bytes += event.key.size() + event.value.size();
    if (event.key.size() > kKeyBytesMax || event.value.size() > kValueBytesMax) {
      return InvalidField("events",
                          absl::StrCat(event.key.size(), " and ", event.value.size(), " bytes"),
                          absl::StrCat("give a key of at most ", kKeyBytesMax,
                                       " and a value of at most ", kValueBytesMax, " bytes"));
    }
    if (batch.producer.empty()) continue;
    if (event.producer_sequence <= last ||
        event.producer_sequence > std::numeric_limits<int64_t>::max()) {
      return InvalidField("producer_sequence", absl::StrCat(event.producer_sequence),
                          absl::StrCat("give a number above ", last, " and below 2^63"));
    }
    last = event.producer_sequence;
  }
  return absl::OkStatus();
}

absl::Duration DurationOf(const google::protobuf::Duration& message) {
  return std::max(absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos()),
                  absl::ZeroDuration());
}

}  // namespace skerry::hubclient
