// The way out: ToWire.
#include <utility>

#include "services/lib/link/wire.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::link {
namespace {

void ToProtoTime(absl::Time t, google::protobuf::Timestamp& out) {
  const int64_t seconds = absl::ToUnixSeconds(t);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(t - absl::FromUnixSeconds(seconds))));
}

template <typename Message>
void RejectionsToWire(const std::vector<Rejection>& rejections, Message& message) {
  for (const Rejection& rejection : rejections) {
    v1::Rejection* out = message.add_rejections();
    out->set_sequence(rejection.sequence);
    *out->mutable_status() = rpc::ToProto(rejection.status);
  }
}

v1::CommandReceipt::Stage StageOf(CommandReceipt::Stage stage) {
  switch (stage) {
    case CommandReceipt::Stage::kDelivered:
      return v1::CommandReceipt::STAGE_DELIVERED;
    case CommandReceipt::Stage::kStarted:
      return v1::CommandReceipt::STAGE_STARTED;
    case CommandReceipt::Stage::kReturned:
      return v1::CommandReceipt::STAGE_RETURNED;
    case CommandReceipt::Stage::kDone:
      return v1::CommandReceipt::STAGE_DONE;
  }
  return v1::CommandReceipt::STAGE_UNSPECIFIED;
}

// The frames that both ends send.
template <typename Message>
void TunnelToWire(TunnelData& f, Message& out) {
  out.mutable_tunnel_data()->set_tunnel_id(f.id);
  out.mutable_tunnel_data()->set_data(std::move(f.bytes));
}
template <typename Message>
void TunnelToWire(TunnelCredit& f, Message& out) {
  out.mutable_tunnel_credit()->set_tunnel_id(f.id);
  out.mutable_tunnel_credit()->set_bytes(f.bytes);
}
template <typename Message>
void TunnelToWire(TunnelClose& f, Message& out) {
  v1::TunnelClose* m = out.mutable_tunnel_close();
  m->set_tunnel_id(f.id);
  m->set_half_close(f.half_close);
  if (!f.half_close) *m->mutable_status() = rpc::ToProto(f.status);
}

v1::Chunk::Rank RankOf(Rank rank) {
  return static_cast<v1::Chunk::Rank>(static_cast<int>(rank) + v1::Chunk::RANK_SYNC);
}

template <typename Message>
void CompressedToWire(Compressed& f, Message& out) {
  v1::Compressed* m = out.mutable_compressed();
  m->set_algorithm(v1::COMPRESSION_DEFLATE);
  m->set_rank(RankOf(f.rank));
  m->set_size(f.size);
  m->set_data(std::move(f.bytes));
}

template <typename Message>
void ChunkToWire(Chunk& f, Message& out) {
  out.mutable_chunk()->set_rank(RankOf(f.rank));
  out.mutable_chunk()->set_data(std::move(f.bytes));
  out.mutable_chunk()->set_last(f.last);
}

template <typename Message>
void HeartbeatToWire(const Heartbeat& f, Message& out) {
  v1::Heartbeat* m = out.mutable_heartbeat();
  if (f.interval != absl::ZeroDuration()) ToProtoDuration(f.interval, *m->mutable_interval());
}

struct EdgeFrameWriter {
  v1::EdgeFrame out;
  void operator()(Hello& f) {
    v1::Hello* m = out.mutable_hello();
    m->set_protocol_version(f.protocol_version);
    m->set_boot_id(std::move(f.boot_id));
    m->set_journal_id(std::move(f.journal_id));
    m->set_software_version(std::move(f.software_version));
    m->set_stored_epoch(f.stored_epoch);
    m->set_event_store_id(std::move(f.event_store_id));
    if (f.heartbeat_interval_max != absl::ZeroDuration())
      ToProtoDuration(f.heartbeat_interval_max, *m->mutable_heartbeat_interval_max());
    m->set_down_bytes_per_second(f.down_limit.bytes_per_second);
    m->set_down_burst_bytes(f.down_limit.burst_bytes);
    if (f.accepts_deflate) m->add_accepts(v1::COMPRESSION_DEFLATE);
  }
  void operator()(Subscribe& f) {
    v1::Subscribe* m = out.mutable_subscribe();
    m->set_type(std::move(f.type));
    m->set_subscription_id(f.subscription_id);
    m->set_more(f.more);
    for (Holding& holding : f.holdings) {
      v1::Holding* h = m->add_holdings();
      h->set_key(std::move(holding.key));
      h->set_version(std::move(holding.version));
    }
  }
  void operator()(Unsubscribe& f) {
    out.mutable_unsubscribe()->set_type(std::move(f.type));
    out.mutable_unsubscribe()->set_subscription_id(f.subscription_id);
  }
  void operator()(ResourceAck& f) {
    v1::ResourceAck* m = out.mutable_resource_ack();
    m->set_type(std::move(f.type));
    m->set_subscription_id(f.subscription_id);
    m->set_sequence(f.sequence);
    RejectionsToWire(f.rejections, *m);
  }
  void operator()(Report& f) { *out.mutable_report() = ToWire(std::move(f)); }
  void operator()(Heartbeat& f) { HeartbeatToWire(f, out); }
  void operator()(EpochStored&) { out.mutable_epoch_stored(); }
  void operator()(EventBatch& f) {
    out.mutable_events()->set_stream(std::move(f.stream));
    EventsToWire(std::move(f.events), *out.mutable_events()->mutable_events());
  }
  void operator()(CommandReceipt& f) {
    v1::CommandReceipt* m = out.mutable_command_receipt();
    m->set_key(std::move(f.key));
    m->set_stage(StageOf(f.stage));
    if (!f.status.ok()) *m->mutable_status() = rpc::ToProto(f.status);
    m->set_response(std::move(f.response));
  }
  void operator()(CommandTakers& f) {
    v1::CommandTakers* m = out.mutable_command_takers();
    for (std::string& type : f.types) m->add_types(std::move(type));
  }
  void operator()(TunnelAccept& f) {
    out.mutable_tunnel_accept()->set_tunnel_id(f.id);
    out.mutable_tunnel_accept()->set_credit(f.credit);
  }
  void operator()(Chunk& f) { ChunkToWire(f, out); }
  void operator()(Compressed& f) { CompressedToWire(f, out); }
  void operator()(TunnelData& f) { TunnelToWire(f, out); }
  void operator()(TunnelCredit& f) { TunnelToWire(f, out); }
  void operator()(TunnelClose& f) { TunnelToWire(f, out); }
};

struct CloudFrameWriter {
  v1::CloudFrame out;
  void operator()(Welcome& f) {
    v1::Welcome* m = out.mutable_welcome();
    m->set_epoch(f.epoch);
    ToProtoDuration(f.heartbeat_interval, *m->mutable_heartbeat_interval());
    m->set_hub(std::move(f.hub));
    ToProtoTime(f.cloud_time, *m->mutable_cloud_time());
    if (f.accepts_deflate) m->add_accepts(v1::COMPRESSION_DEFLATE);
  }
  void operator()(ResourceChange& f) { *out.mutable_resource() = ToWire(std::move(f)); }
  void operator()(ReportAck& f) {
    v1::ReportAck* m = out.mutable_report_ack();
    m->set_type(std::move(f.type));
    m->set_sequence(f.sequence);
    RejectionsToWire(f.rejections, *m);
  }
  void operator()(Heartbeat& f) { HeartbeatToWire(f, out); }
  void operator()(Resync& f) { out.mutable_resync()->set_type(std::move(f.type)); }
  void operator()(GoAway& f) {
    out.mutable_go_away()->set_reason(std::move(f.reason));
    ToProtoDuration(f.retry_after, *out.mutable_go_away()->mutable_retry_after());
  }
  void operator()(EventAck& f) {
    v1::EventAck* m = out.mutable_event_ack();
    m->set_stream(std::move(f.stream));
    m->set_sequence(f.sequence);
    RejectionsToWire(f.rejections, *m);
  }
  void operator()(Command& f) {
    v1::Command* m = out.mutable_command();
    m->set_key(std::move(f.key));
    m->set_type(std::move(f.type));
    m->set_payload(std::move(f.payload));
    ToProtoDuration(f.deadline, *m->mutable_deadline());
    ToProtoDuration(f.expire_in, *m->mutable_expire_in());
    m->set_reexecutable(f.reexecutable);
  }
  void operator()(TunnelOpen& f) {
    v1::TunnelOpen* m = out.mutable_tunnel_open();
    m->set_tunnel_id(f.id);
    m->set_type(std::move(f.type));
    m->set_target(std::move(f.target));
    m->set_credit(f.credit);
  }
  void operator()(Chunk& f) { ChunkToWire(f, out); }
  void operator()(Compressed& f) { CompressedToWire(f, out); }
  void operator()(TunnelData& f) { TunnelToWire(f, out); }
  void operator()(TunnelCredit& f) { TunnelToWire(f, out); }
  void operator()(TunnelClose& f) { TunnelToWire(f, out); }
};

}  // namespace

void ToProtoDuration(absl::Duration d, google::protobuf::Duration& out) {
  const int64_t seconds = absl::ToInt64Seconds(d);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(d - absl::Seconds(seconds))));
}

void EventsToWire(std::vector<StreamEvent> events,
                  google::protobuf::RepeatedPtrField<v1::Event>& out) {
  out.Reserve(static_cast<int>(events.size()));
  for (StreamEvent& event : events) {
    v1::Event* m = out.Add();
    m->set_sequence(event.sequence);
    m->set_dropped_before(event.dropped_before);
    ToProtoTime(event.time, *m->mutable_time());
    m->set_key(std::move(event.key));
    m->set_value(std::move(event.value));
  }
}

v1::Report ToWire(Report report) {
  v1::Report message;
  message.set_sequence(report.sequence);
  message.set_type(std::move(report.type));
  message.set_key(std::move(report.key));
  message.set_generation(report.generation);
  message.mutable_time()->set_wall_micros(report.time.wall_micros);
  message.mutable_time()->set_logical(report.time.logical);
  message.set_value(std::move(report.value));
  return message;
}

v1::ResourceChange ToWire(ResourceChange frame) {
  v1::ResourceChange message;
  message.set_type(std::move(frame.type));
  message.set_subscription_id(frame.subscription_id);
  message.set_sequence(frame.sequence);
  switch (frame.change.kind) {
    case Change::Kind::kUpsert:
      message.mutable_upsert()->set_key(std::move(frame.change.key));
      message.mutable_upsert()->set_version(std::move(frame.change.version));
      message.mutable_upsert()->set_object(std::move(frame.change.object));
      break;
    case Change::Kind::kDelete:
      message.mutable_delete_()->set_key(std::move(frame.change.key));
      break;
    case Change::Kind::kSynced:
      message.mutable_synced();
      break;
  }
  return message;
}

v1::EdgeFrame ToWire(EdgeFrame frame) {
  EdgeFrameWriter writer;
  std::visit(writer, frame);
  return std::move(writer.out);
}

v1::CloudFrame ToWire(CloudFrame frame) {
  CloudFrameWriter writer;
  std::visit(writer, frame);
  return std::move(writer.out);
}

}  // namespace skerry::link
