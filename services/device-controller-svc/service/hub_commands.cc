#include "services/device-controller-svc/service/hub_commands.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/device-controller-svc/service/command_words.h"
#include "services/lib/base/error.h"
#include "services/lib/link/backoff.h"
#include "services/lib/rpc/deadline.h"
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

absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "the service is draining").Reason("DRAINING");
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

uint64_t Seed() {
  thread_local absl::BitGen random;
  return absl::Uniform<uint64_t>(random);
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

  Course(SendCommandRequest r, Patience p, Done d, const std::shared_ptr<const Hubs>& h,
         size_t first)
      : request(std::move(r)),
        patience(p),
        done(std::move(d)),
        hubs(*h),
        course(KindOf(request), hubs.size(), first),
        asked(hubs.size()) {}

  uint64_t id = 0;
  const SendCommandRequest request;
  const Patience patience;
  Done done;
  Hubs hubs;  // Each that was known since it began.
  CommandCourse course;
  std::vector<Asked> asked;
  link::Backoff backoff{kBackoffMin, kBackoffMax, Seed()};
  std::vector<exec::SerialExecutor::TimerId> timers;
};

HubCommands::HubCommands(Clock& clock, log::Logger log)
    : log_(std::move(log)), executor_("hub-commands", clock) {}

HubCommands::~HubCommands() { Stop(); }

void HubCommands::SetHubs(std::vector<CommandHub> hubs) {
  {
    auto replicas = std::make_shared<const Hubs>(std::move(hubs));
    absl::MutexLock lock(&mutex_);
    hubs_ = std::move(replicas);
  }
  executor_.Post([this] { GrowAll(); });
}

void HubCommands::GrowAll() {
  const std::shared_ptr<const Hubs> present = hubs();
  for (auto it = courses_.begin(); it != courses_.end();) {
    Course& course = *(it++)->second;  // It may end.
    const size_t before = course.hubs.size();
    for (const CommandHub& hub : *present) {
      const bool known = std::any_of(course.hubs.begin(), course.hubs.end(),
                                     [&](const CommandHub& h) { return h.address == hub.address; });
      if (!known) course.hubs.push_back(hub);
    }
    course.asked.resize(course.hubs.size());
    Take(course, course.course.Grow(course.hubs.size() - before));
  }
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
  auto stub = CommandService::NewStub(course.hubs[hub].channel);
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
  log_.Warning("a hub does not answer", {{"hub", it->second->hubs[hub].address}});
  asked.stream->Close(absl::CancelledError("the hub does not answer"));  // Closed() follows.
}

// `course` is gone afterwards.
void HubCommands::Finish(Course& course, absl::StatusOr<Command> answer) {
  for (const exec::SerialExecutor::TimerId timer : course.timers) executor_.Cancel(timer);
  const bool ended = answer.ok() && StageOf(*answer) == CommandStage::kEnded;
  // Else the other hubs would send it for nothing, and the box say again how it ended.
  if (ended) {
    for (const size_t hub : course.course.Open())
      CancelAt(course.hubs[hub], CommandName(course.request.node(), course.request.key()));
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

}  // namespace skerry::devicecontroller
