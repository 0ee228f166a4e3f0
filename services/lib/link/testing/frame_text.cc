#include "services/lib/link/testing/frame_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"

namespace skerry::link::testing {
namespace {

using skerry::testing::ScriptCommand;

std::string RejectionsText(const std::vector<Rejection>& rejections) {
  std::string text;
  for (const Rejection& rejection : rejections)
    absl::StrAppend(&text, " rejected=", rejection.sequence);
  return text;
}

std::string IntervalText(absl::Duration interval) {
  if (interval == absl::ZeroDuration()) return "";
  return absl::StrCat(" interval=", absl::FormatDuration(interval));
}

bool HasWord(const ScriptCommand& command, const std::string& word) {
  return std::find(command.words.begin(), command.words.end(), word) != command.words.end();
}

constexpr const char* kRanks[] = {"sync", "alarm", "command", "telemetry", "state", "bulk"};

struct FrameWriter {
  std::string operator()(const Hello& f) const {
    return absl::StrCat("Hello version=", f.protocol_version, " stored_epoch=", f.stored_epoch,
                        IntervalText(f.heartbeat_interval_max),
                        f.accepts_deflate ? " deflate" : "");
  }
  std::string operator()(const Subscribe& f) const { return Text(f); }
  std::string operator()(const Unsubscribe& f) const {
    return absl::StrCat("Unsubscribe ", f.type, " id=", f.subscription_id);
  }
  std::string operator()(const ResourceAck& f) const {
    return absl::StrCat("ResourceAck ", f.type, " id=", f.subscription_id, " seq=", f.sequence,
                        RejectionsText(f.rejections));
  }
  std::string operator()(const Report& f) const { return Text(f); }
  std::string operator()(const Heartbeat& f) const {
    return absl::StrCat("Heartbeat", IntervalText(f.interval));
  }
  std::string operator()(const EpochStored&) const { return "EpochStored"; }
  std::string operator()(const EventBatch& f) const { return absl::StrCat("Events ", Text(f)); }
  std::string operator()(const EventAck& f) const {
    return absl::StrCat("EventAck ", f.stream, " seq=", f.sequence, RejectionsText(f.rejections));
  }
  std::string operator()(const Welcome& f) const {
    return absl::StrCat("Welcome epoch=", f.epoch,
                        " heartbeat=", absl::FormatDuration(f.heartbeat_interval),
                        f.accepts_deflate ? " deflate" : "");
  }
  std::string operator()(const ResourceChange& f) const { return Text(f); }
  std::string operator()(const ReportAck& f) const {
    return absl::StrCat("ReportAck ", f.type, " seq=", f.sequence, RejectionsText(f.rejections));
  }
  std::string operator()(const Resync& f) const { return absl::StrCat("Resync ", f.type); }
  std::string operator()(const GoAway& f) const {
    return absl::StrCat("GoAway ", f.reason, " retry_after=", absl::FormatDuration(f.retry_after));
  }
  std::string operator()(const Chunk& f) const {
    return absl::StrCat("Chunk ", kRanks[static_cast<int>(f.rank)], " bytes=", f.bytes.size(),
                        f.last ? " last" : "");
  }
  std::string operator()(const Compressed& f) const {
    return absl::StrCat("Compressed ", kRanks[static_cast<int>(f.rank)], " size=", f.size);
  }
  std::string operator()(const Command& f) const {
    return absl::StrCat("Command ", f.key, " ", f.type, " bytes=", f.payload.size(),
                        " deadline=", absl::FormatDuration(f.deadline),
                        " expire_in=", absl::FormatDuration(f.expire_in),
                        f.reexecutable ? " reexecutable" : "");
  }
  std::string operator()(const CommandReceipt& f) const { return Text(f); }
  std::string operator()(const CommandTakers& f) const {
    return absl::StrCat("CommandTakers ", absl::StrJoin(f.types, ","));
  }
  std::string operator()(const TunnelOpen& f) const {
    return absl::StrCat("TunnelOpen ", f.id, " ", f.type, " target=", f.target,
                        " credit=", f.credit);
  }
  std::string operator()(const TunnelAccept& f) const {
    return absl::StrCat("TunnelAccept ", f.id, " credit=", f.credit);
  }
  std::string operator()(const TunnelData& f) const {
    return absl::StrCat("TunnelData ", f.id, " bytes=", f.bytes.size());
  }
  std::string operator()(const TunnelCredit& f) const {
    return absl::StrCat("TunnelCredit ", f.id, " bytes=", f.bytes);
  }
  std::string operator()(const TunnelClose& f) const {
    return f.half_close ? absl::StrCat("TunnelClose ", f.id, " half")
                        : absl::StrCat("TunnelClose ", f.id, " ", Text(f.status));
  }
};

}  // namespace

std::string Text(const EdgeFrame& frame) { return std::visit(FrameWriter(), frame); }
std::string Text(const CloudFrame& frame) { return std::visit(FrameWriter(), frame); }

std::string Text(const tunnel::ToUser& message) {
  struct Writer {
    std::string operator()(const tunnel::Opened&) const { return "opened"; }
    std::string operator()(const tunnel::Bytes& b) const {
      return absl::StrCat("bytes=", b.bytes.size());
    }
    std::string operator()(const tunnel::Taken&) const { return "taken"; }
    std::string operator()(const tunnel::HalfClose&) const { return "half close"; }
    std::string operator()(const tunnel::End& e) const {
      return absl::StrCat("end ", Text(e.status));
    }
  };
  return absl::StrCat("tunnel ", message.tunnel, ": ", std::visit(Writer(), message.body));
}

std::string Text(const CommandReceipt& receipt) {
  static constexpr const char* kStages[] = {"delivered", "started", "returned", "done"};
  std::string text =
      absl::StrCat("Receipt ", receipt.key, " ", kStages[static_cast<int>(receipt.stage)]);
  if (receipt.stage >= CommandReceipt::Stage::kReturned)
    absl::StrAppend(&text, " ", Text(receipt.status));
  if (!receipt.response.empty()) absl::StrAppend(&text, " bytes=", receipt.response.size());
  return text;
}

// Not how many are left: that is zlib's.
std::string Text(const CompressionBytes& bytes) {
  return absl::StrCat(bytes.sent ? "compressed " : "decompressed ", bytes.plain, " bytes");
}

std::string Text(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kUpsert:
      return absl::StrCat("upsert ", change.key, "@", change.version);
    case Change::Kind::kDelete:
      return absl::StrCat("delete ", change.key);
    case Change::Kind::kSynced:
      return "synced";
  }
  return "?";
}

std::string Text(const Subscribe& frame) {
  std::string text = absl::StrCat("Subscribe ", frame.type, " id=", frame.subscription_id);
  for (const Holding& holding : frame.holdings)
    absl::StrAppend(&text, " holds=", holding.key, "@", holding.version);
  if (frame.more) absl::StrAppend(&text, " more");
  return text;
}

std::string Text(const ResourceChange& frame) {
  return absl::StrCat("Resource ", frame.type, " id=", frame.subscription_id,
                      " seq=", frame.sequence, " ", Text(frame.change));
}

std::string Text(const Report& report) {
  return absl::StrCat("Report ", report.type, " seq=", report.sequence, " ", report.key);
}

std::string Text(const EventBatch& batch) {
  std::string text = batch.stream;
  for (const StreamEvent& event : batch.events) {
    absl::StrAppend(&text, " ", event.sequence);
    if (event.dropped_before != 0) absl::StrAppend(&text, "(", event.dropped_before, " dropped)");
  }
  return text;
}

std::string Text(const absl::Status& status) {
  if (status.ok()) return "OK";
  const ErrorInfo info = GetErrorInfo(status);
  std::string text = absl::StatusCodeToString(status.code());
  if (!info.reason.empty()) absl::StrAppend(&text, " ", info.reason);
  auto rule = info.metadata.find("rule");
  if (rule != info.metadata.end()) absl::StrAppend(&text, " ", rule->second);
  return absl::StrCat(text, ": ", status.message());
}

std::string Filler(size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i)
    absl::StrAppend(&text, "{\"name\":\"pressure\",\"unit\":\"bar\",\"value\":", i, "},");
  text.resize(bytes);
  return text;
}

Subscribe SubscribeOf(const ScriptCommand& command) {
  Subscribe frame{
      command.Arg("type"), static_cast<uint64_t>(command.Int("id")), {}, command.Has("more")};
  for (const std::string& holding : ListOf(command, "hold")) {
    std::vector<std::string> parts = absl::StrSplit(holding, '@');
    frame.holdings.push_back({parts[0], parts.size() > 1 ? parts[1] : ""});
  }
  return frame;
}

Change ChangeOf(const ScriptCommand& command) {
  Change change;
  if (HasWord(command, "synced")) {
    change.kind = Change::Kind::kSynced;
    return change;
  }
  change.key = command.Arg("key");
  if (HasWord(command, "delete")) {
    change.kind = Change::Kind::kDelete;
    return change;
  }
  change.version = command.Arg("version");
  change.object = Filler(static_cast<size_t>(command.Int("bytes", 2)));
  return change;
}

ResourceAck AckOf(const ScriptCommand& command) {
  return {command.Arg("type"), static_cast<uint64_t>(command.Int("id")),
          static_cast<uint64_t>(command.Int("seq")), RejectionsOf(command)};
}

tunnel::FromUser FromUserOf(const ScriptCommand& command) {
  tunnel::FromUser event{static_cast<uint64_t>(command.Int("id")), {}};
  if (HasWord(command, "half")) {
    event.body = tunnel::HalfClose{};
  } else if (HasWord(command, "end")) {
    event.body = tunnel::End{absl::CancelledError("the user is gone")};
  } else if (HasWord(command, "consumed")) {
    event.body = tunnel::Consumed{static_cast<size_t>(command.Int("bytes"))};
  } else {
    event.body = tunnel::Bytes{std::string(static_cast<size_t>(command.Int("bytes")), 'b')};
  }
  return event;
}

std::optional<std::variant<TunnelData, TunnelCredit, TunnelClose>> TunnelFrameOf(
    const ScriptCommand& command) {
  const uint64_t id = static_cast<uint64_t>(command.Int("id", 0));
  const uint64_t bytes = static_cast<uint64_t>(command.Int("bytes", 0));
  if (command.name == "tunnel-data") return TunnelData{id, std::string(bytes, 'd')};
  if (command.name == "tunnel-credit") return TunnelCredit{id, bytes};
  if (command.name != "tunnel-close") return std::nullopt;
  return HasWord(command, "half") ? TunnelClose{id, true, absl::OkStatus()}
                                  : TunnelClose{id, false, absl::UnavailableError("no good")};
}

Chunk ChunkOf(const ScriptCommand& command) {
  const size_t bytes = static_cast<size_t>(command.Int("bytes"));
  return {command.Arg("rank") == "sync" ? Rank::kSync : Rank::kState, std::string(bytes, '\xff'),
          HasWord(command, "last")};
}

Command CommandOf(const ScriptCommand& command) {
  return {command.Arg("key"),
          command.Arg("type", "method"),
          Filler(static_cast<size_t>(command.Int("bytes", 1))),
          absl::Seconds(command.Int("deadline", 30)),
          absl::Seconds(command.Int("expire", 60)),
          command.Has("reexecutable")};
}

CommandReceipt ReceiptOf(const ScriptCommand& command) {
  CommandReceipt receipt;
  receipt.key = command.Arg("key");
  const std::string stage = command.Arg("stage");
  receipt.stage = stage == "delivered"  ? CommandReceipt::Stage::kDelivered
                  : stage == "started"  ? CommandReceipt::Stage::kStarted
                  : stage == "returned" ? CommandReceipt::Stage::kReturned
                                        : CommandReceipt::Stage::kDone;
  if (command.Has("error")) receipt.status = absl::UnavailableError("no good");
  receipt.response = Filler(static_cast<size_t>(command.Int("bytes", 0)));
  return receipt;
}

std::vector<Rejection> RejectionsOf(const ScriptCommand& command) {
  std::vector<Rejection> rejections;
  for (const std::string& text : ListOf(command, "reject")) {
    uint64_t sequence = 0;
    if (absl::SimpleAtoi(text, &sequence))
      rejections.push_back({sequence, absl::InvalidArgumentError("no good")});
  }
  return rejections;
}

EventBatch EventsOf(const ScriptCommand& command) {
  EventBatch batch{command.Arg("stream"), {}};
  for (const std::string& text : ListOf(command, "seqs")) {
    const std::vector<std::string> parts = absl::StrSplit(text, '/');
    StreamEvent event;
    if (!absl::SimpleAtoi(parts[0], &event.sequence) ||
        (parts.size() > 1 && !absl::SimpleAtoi(parts[1], &event.dropped_before))) {
      ADD_FAILURE() << "not a sequence: " << text;
    }
    event.value = Filler(static_cast<size_t>(command.Int("bytes", 1)));
    batch.events.push_back(std::move(event));
  }
  return batch;
}

std::vector<std::string> ListOf(const ScriptCommand& command, const std::string& name) {
  if (!command.Has(name)) return {};
  return absl::StrSplit(command.Arg(name), ',');
}

}  // namespace skerry::link::testing
