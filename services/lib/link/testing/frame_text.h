// Frames as text, one line each, for script tests.
#ifndef SKERRY_SERVICES_LIB_LINK_TESTING_FRAME_TEXT_H_
#define SKERRY_SERVICES_LIB_LINK_TESTING_FRAME_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_events.h"
#include "services/lib/testing/script_test.h"

namespace skerry::link::testing {

std::string Text(const EdgeFrame& frame);
std::string Text(const CloudFrame& frame);
std::string Text(const Change& change);
std::string Text(const tunnel::ToUser& message);
std::string Text(const CommandReceipt& receipt);
std::string Text(const CompressionBytes& bytes);
std::string Text(const Subscribe& frame);
std::string Text(const ResourceChange& frame);
std::string Text(const Report& report);
// "telemetry 3 5(1 dropped)".
std::string Text(const EventBatch& batch);
// "OK", or code, reason, rule and message.
std::string Text(const absl::Status& status);

// JSON, which compresses to about a tenth.
std::string Filler(size_t bytes);

// From a command's arguments: type= id= [hold=key@version,…] [more=1].
Subscribe SubscribeOf(const skerry::testing::ScriptCommand& command);
// key= version= [bytes=], or the words "delete" (key=) or "synced".
Change ChangeOf(const skerry::testing::ScriptCommand& command);
// type= id= seq= [reject=seq,…].
ResourceAck AckOf(const skerry::testing::ScriptCommand& command);
// id= and: half, end, consumed bytes=, or bytes= of data.
tunnel::FromUser FromUserOf(const skerry::testing::ScriptCommand& command);
// tunnel-data id= bytes=, tunnel-credit id= bytes=, tunnel-close id= [half]; else nothing.
std::optional<std::variant<TunnelData, TunnelCredit, TunnelClose>> TunnelFrameOf(
    const skerry::testing::ScriptCommand& command);
// rank= bytes= [last], of bytes that are no frame.
Chunk ChunkOf(const skerry::testing::ScriptCommand& command);
// command key= [type=] [bytes=] [deadline=] [expire=] [reexecutable=1], in seconds.
Command CommandOf(const skerry::testing::ScriptCommand& command);
// key= stage=delivered|started|returned|done [error=1] [bytes=] of the response.
CommandReceipt ReceiptOf(const skerry::testing::ScriptCommand& command);
// [reject=seq,…]
std::vector<Rejection> RejectionsOf(const skerry::testing::ScriptCommand& command);
// stream= [seqs=3,5/1,…], where 5/1 is event 5 with one dropped before it; [bytes=] of each value.
EventBatch EventsOf(const skerry::testing::ScriptCommand& command);
// name=a,b,c
std::vector<std::string> ListOf(const skerry::testing::ScriptCommand& command,
                                const std::string& name);

}  // namespace skerry::link::testing

#endif  // SKERRY_SERVICES_LIB_LINK_TESTING_FRAME_TEXT_H_
