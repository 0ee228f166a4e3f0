#include "services/device-controller-svc/service/hub_commands.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/link/backoff.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server_reader_client.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using cloudhub::v1::CommandService;
using cloudhub::v1::SendCommandRequest;

// A hub that has said nothing by then is as one that is lost.
constexpr absl::Duration kSilenceMax = absl::Seconds(5);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(200);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);
// Streams that nobody waits for any more are closed; this ends what that would miss.
constexpr absl::Duration kStreamSlack = absl::Seconds(10);
constexpr absl::Duration kCancelTimeout = absl::Seconds(5);
constexpr int kHubPageSize = 1000;
constexpr int kHubPagesMax = 100;  // Of one node, most of which may be of other devices.

absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "the service is draining").Reason("DRAINING");
}

absl::Status Unreachable(const CommandHub& hub, const absl::Status& status) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("hub ", hub.address, " can't be asked: ", status.message()))
      .Reason("HUB_UNREACHABLE")
      .Meta("hub", hub.address);
}

absl::Status Unknown(const std::string& node) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("no hub knows that call of node ", node, " (any more)"))
      .Reason("METHOD_CALL_UNKNOWN")
      .Meta("node", node);
}

absl::Status NoHubs() {
  return Error(absl::StatusCode::kUnavailable, "no hub is known").Reason("HUB_UNREACHABLE");
}

CommandStage StageOf(const Command& command) {
  switch (command.stage()) {
    case Command::STAGE_SENT:
    case Command::STAGE_DELIVERED:
    case Command::STAGE_STARTED:
      return CommandStage::kUnderWay;
    case Command::STAGE_DONE:
      return CommandStage::kEnded;
    case Command::STAGE_EXPIRED:
    case Command::STAGE_CANCELLED:
      return CommandStage::kNotExecuted;
    default:
      return CommandStage::kWaiting;
  }
}

// How much a hub's word counts beside another's.
int RankOf(const Command& command) {
  switch (StageOf(command)) {
    case CommandStage::kNotExecuted:
      return 0;
    case CommandStage::kWaiting:
      return 1;
    case CommandStage::kUnderWay:
      return 2 + static_cast<int>(command.stage());
    case CommandStage::kEnded:
      return 100;
  }
  return 0;
}

CommandCourse::Kind KindOf(const SendCommandRequest& request) {
  switch (request.delivery()) {
    case Command::DELIVERY_WAIT:
      return CommandCourse::Kind::kWait;
    case Command::DELIVERY_QUEUE:
      return CommandCourse::Kind::kQueue;
    default:
      return CommandCourse::Kind::kNow;
  }
}

std::string NameOf(const std::string& node, const std::string& key) {
  return absl::StrCat("nodes/", node, "/commands/", key);
}

uint64_t Seed() {
  thread_local absl::BitGen random;
  return absl::Uniform<uint64_t>(random);
}

// Fails at once where the hub can't be reached.
absl::Status CallHub(absl::Duration timeout,
                     absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call) {
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(timeout));
  return rpc::FromGrpc(call(&context));
}

}  // namespace

// One command, until its sender has the answer.
struct HubCommands::Course {
  struct Asked {
    std::shared_ptr<rpc::StreamControl> stream;  // Null: none is open.
    uint64_t ask = 0;                            // Which of the questions that is.
    exec::SerialExecutor::TimerId silence = 0;
    Command last;
  };

  Course(SendCommandRequest r, Patience p, Done d, std::shared_ptr<const Hubs> h, size_t first)
      : request(std::move(r)),
        patience(p),
        done(std::move(d)),
        hubs(std::move(h)),
        course(KindOf(request), hubs->size(), first),
        asked(hubs->size()) {}

  uint64_t id = 0;
  const SendCommandRequest request;
  const Patience patience;
  Done done;
  const std::shared_ptr<const Hubs> hubs;
  CommandCourse course;
  std::vector<Asked> asked;
  link::Backoff backoff{kBackoffMin, kBackoffMax, Seed()};
  std::vector<exec::SerialExecutor::TimerId> timers;
};

HubCommands::HubCommands(Clock& clock, log::Logger log)
    : log_(std::move(log)), executor_("hub-commands", clock) {}

HubCommands::~HubCommands() { Stop(); }

void HubCommands::SetHubs(std::vector<CommandHub> hubs) {
  auto replicas = std::make_shared<const Hubs>(std::move(hubs));
  absl::MutexLock lock(&mutex_);
  hubs_ = std::move(replicas);
}

std::shared_ptr<const HubCommands::Hubs> HubCommands::hubs() const {
  absl::MutexLock lock(&mutex_);
  return hubs_;
}

bool HubCommands::IsStopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void HubCommands::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  executor_.Run([this] {
    while (!courses_.empty()) Finish(*courses_.begin()->second, Draining());
  });
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* open) { return *open == 0; }, &open_calls_));
  }
  executor_.Run([] {});  // What they have posted.
}

void HubCommands::CallBegins() {
  absl::MutexLock lock(&mutex_);
  ++open_calls_;
}

void HubCommands::CallEnded() {
  absl::MutexLock lock(&mutex_);
  --open_calls_;
}

void HubCommands::Send(SendCommandRequest request, Patience patience, Done done) {
  auto begin = [this, request = std::move(request), patience, done = std::move(done)]() mutable {
    Begin(std::make_unique<Course>(std::move(request), patience, std::move(done), hubs(), first_));
  };
  executor_.Post(std::move(begin));
}

void HubCommands::Begin(std::unique_ptr<Course> owned) {
  Course& course = *owned;
  const uint64_t id = course.id = ++last_id_;
  courses_[id] = std::move(owned);
  if (IsStopping()) return Finish(course, Draining());
  const auto at = [this, id, &course](absl::Duration delay,
                                      CommandCourse::Step (CommandCourse::*event)()) {
    course.timers.push_back(executor_.PostAfter(delay, [this, id, event] {
      const auto it = courses_.find(id);
      if (it != courses_.end()) Take(*it->second, (it->second->course.*event)());
    }));
  };
  at(course.patience.total, &CommandCourse::EndOfPatience);
  if (course.patience.queued > absl::ZeroDuration()) {
    at(course.patience.queued, &CommandCourse::EndOfWait);
  } else {
    course.course.EndOfWait();
  }
  Take(course, course.course.Begin());
}

// `course` may be gone afterwards.
void HubCommands::Take(Course& course, CommandCourse::Step step) {
  if (step.answer.has_value()) {
    if (!step.answer->error.ok()) return Finish(course, step.answer->error);
    return Finish(course, course.asked[step.answer->hub].last);
  }
  if (step.ask.empty()) return;
  const uint64_t id = course.id;
  if (!step.later) {
    for (const size_t hub : step.ask) Ask(id, hub);
    return;
  }
  course.timers.push_back(executor_.PostAfter(course.backoff.Next(), [this, id, asks = step.ask] {
    for (const size_t hub : asks) Ask(id, hub);
  }));
}

void HubCommands::Ask(uint64_t id, size_t hub) {
  const auto it = courses_.find(id);
  if (it == courses_.end()) return;
  Course& course = *it->second;
  Course::Asked& asked = course.asked[hub];
  const uint64_t ask = ++asked.ask;
  asked.silence = executor_.PostAfter(kSilenceMax, [this, id, hub, ask] { Silent(id, hub, ask); });
  CallBegins();
  rpc::StreamEvents<Command> events;
  events.on_message = [this, id, hub, ask](Command command) {
    executor_.Post([this, id, hub, ask, command = std::make_shared<Command>(std::move(command))] {
      Told(id, hub, ask, *command);
    });
  };
  events.on_closed = [this, id, hub, ask](absl::Status status) {
    executor_.Post([this, id, hub, ask, status] { Closed(id, hub, ask, status); });
    CallEnded();  // Last: Stop() may return now.
  };
  // The stub may go after the call has begun.
  auto stub = CommandService::NewStub((*course.hubs)[hub].channel);
  const absl::Duration limit = course.patience.total + kStreamSlack;
  asked.stream = rpc::DialReader<SendCommandRequest, Command>(
      course.request,
      [&](grpc::ClientContext* context, const SendCommandRequest* request,
          grpc::ClientReadReactor<Command>* reactor) {
        context->set_deadline(rpc::DeadlineIn(limit));
        stub->async()->SendCommand(context, request, reactor);
      },
      {}, std::move(events));
}

void HubCommands::Told(uint64_t id, size_t hub, uint64_t ask, const Command& command) {
  const auto it = courses_.find(id);
  if (it == courses_.end() || it->second->asked[hub].ask != ask) return;
  Course& course = *it->second;
  executor_.Cancel(course.asked[hub].silence);
  course.asked[hub].last = command;
  course.backoff.Reset();
  if (KindOf(course.request) == CommandCourse::Kind::kQueue) first_ = hub;
  Take(course, course.course.Told(hub, StageOf(command)));
}

void HubCommands::Closed(uint64_t id, size_t hub, uint64_t ask, const absl::Status& status) {
  const auto it = courses_.find(id);
  if (it == courses_.end() || it->second->asked[hub].ask != ask) return;
  Course& course = *it->second;
  executor_.Cancel(course.asked[hub].silence);
  course.asked[hub].stream = nullptr;
  Take(course, course.course.Closed(hub, status));
}

void HubCommands::Silent(uint64_t id, size_t hub, uint64_t ask) {
  const auto it = courses_.find(id);
  if (it == courses_.end() || it->second->asked[hub].ask != ask) return;
  Course::Asked& asked = it->second->asked[hub];
  if (asked.stream == nullptr) return;
  log_.Warning("a hub does not answer", {{"hub", (*it->second->hubs)[hub].address}});
  asked.stream->Close(absl::CancelledError("the hub does not answer"));  // Closed() follows.
}

// `course` is gone afterwards.
void HubCommands::Finish(Course& course, absl::StatusOr<Command> answer) {
  for (const exec::SerialExecutor::TimerId timer : course.timers) executor_.Cancel(timer);
  const bool ended = answer.ok() && StageOf(*answer) == CommandStage::kEnded;
  // Else the other hubs would send it for nothing, and the box say again how it ended.
  if (ended) {
    for (const size_t hub : course.course.Open())
      CancelAt((*course.hubs)[hub], NameOf(course.request.node(), course.request.key()));
  }
  for (Course::Asked& asked : course.asked) {
    executor_.Cancel(asked.silence);
    if (asked.stream != nullptr) asked.stream->Close(absl::CancelledError("it is answered"));
  }
  Done done = std::move(course.done);
  courses_.erase(course.id);
  done(std::move(answer));
}

void HubCommands::CancelAt(const CommandHub& hub, const std::string& name) {
  struct Call {
    grpc::ClientContext context;
    cloudhub::v1::CancelCommandRequest request;
    Command response;
  };
  auto call = std::make_shared<Call>();
  call->context.set_deadline(rpc::DeadlineIn(kCancelTimeout));
  call->request.set_name(name);
  CallBegins();
  auto stub = CommandService::NewStub(hub.channel);
  // Where it fails, it expires.
  stub->async()->CancelCommand(&call->context, &call->request, &call->response,
                               [this, call](const grpc::Status&) { CallEnded(); });
}

absl::StatusOr<Command> HubCommands::Get(const std::string& node, const std::string& key,
                                         absl::Duration timeout) {
  const std::shared_ptr<const Hubs> hubs = this->hubs();
  if (hubs->empty()) return NoHubs();
  absl::Status error = Unknown(node);
  std::optional<Command> best;
  for (const CommandHub& hub : *hubs) {
    cloudhub::v1::GetCommandRequest request;
    request.set_name(NameOf(node, key));
    Command command;
    const absl::Status status = CallHub(timeout, [&](grpc::ClientContext* context) {
      return CommandService::NewStub(hub.channel)->GetCommand(context, request, &command);
    });
    if (status.ok()) {
      if (!best.has_value() || RankOf(command) > RankOf(*best)) best = std::move(command);
      if (StageOf(*best) == CommandStage::kEnded) break;
    } else if (status.code() != absl::StatusCode::kNotFound) {
      error = CommandCourse::IsLoss(status) ? Unreachable(hub, status) : status;
    }
  }
  if (best.has_value()) return *std::move(best);
  return error;
}

absl::StatusOr<std::vector<Command>> HubCommands::List(const std::string& node,
                                                       const std::string& prefix,
                                                       absl::Duration timeout) {
  const std::shared_ptr<const Hubs> hubs = this->hubs();
  if (hubs->empty()) return NoHubs();
  const std::string name_prefix = NameOf(node, prefix);
  std::map<std::string, Command> commands;  // By name.
  for (const CommandHub& hub : *hubs) {
    cloudhub::v1::ListCommandsRequest request;
    request.set_parent(absl::StrCat("nodes/", node));
    request.set_page_size(kHubPageSize);
    for (int page = 0;; ++page) {
      cloudhub::v1::ListCommandsResponse response;
      const absl::Status status = CallHub(timeout, [&](grpc::ClientContext* context) {
        return CommandService::NewStub(hub.channel)->ListCommands(context, request, &response);
      });
      if (!status.ok()) return CommandCourse::IsLoss(status) ? Unreachable(hub, status) : status;
      for (Command& command : *response.mutable_commands()) {
        if (!absl::StartsWith(command.name(), name_prefix)) continue;
        const auto [it, added] = commands.try_emplace(command.name(), command);
        if (!added && RankOf(command) > RankOf(it->second)) it->second = std::move(command);
      }
      if (response.next_page_token().empty()) break;
      if (commands.size() > kListMax || page + 1 == kHubPagesMax) {
        return Error(absl::StatusCode::kResourceExhausted,
                     absl::StrCat("node ", node,
                                  " has too many calls to list them: ask for each "
                                  "by its name"))
            .Reason("TOO_MANY_CALLS");
      }
      request.set_page_token(response.next_page_token());
    }
  }
  std::vector<Command> list;
  for (auto& [name, command] : commands) list.push_back(std::move(command));
  return list;
}

absl::StatusOr<Command> HubCommands::Cancel(const std::string& node, const std::string& key,
                                            absl::Duration timeout) {
  const std::shared_ptr<const Hubs> hubs = this->hubs();
  if (hubs->empty()) return NoHubs();
  absl::Status refused;      // It can't be cancelled, whatever the other hubs say.
  absl::Status unreachable;  // A hub that may send it.
  std::optional<Command> cancelled;
  for (const CommandHub& hub : *hubs) {
    cloudhub::v1::CancelCommandRequest request;
    request.set_name(NameOf(node, key));
    Command command;
    const absl::Status status = CallHub(timeout, [&](grpc::ClientContext* context) {
      return CommandService::NewStub(hub.channel)->CancelCommand(context, request, &command);
    });
    if (status.ok()) {
      // Of all hubs.
      if (command.delivery() == Command::DELIVERY_QUEUE) return command;
      cancelled = std::move(command);
    } else if (status.code() == absl::StatusCode::kNotFound) {
      continue;
    } else if (CommandCourse::IsLoss(status)) {
      unreachable = Unreachable(hub, status);
    } else {
      refused = status;
    }
  }
  if (!refused.ok()) return refused;
  if (!unreachable.ok()) return unreachable;
  if (cancelled.has_value()) return *std::move(cancelled);
  return Unknown(node);
}

}  // namespace skerry::devicecontroller
