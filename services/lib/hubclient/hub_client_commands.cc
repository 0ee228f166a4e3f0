// The commands that HubClient takes.
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/hubclient/hub_client_impl.h"
#include "services/lib/hubclient/hub_frames.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::hubclient {
namespace {

namespace hub = skerry::edgehub::v1;

constexpr size_t kResponseBytesMax = 256u << 10;

}  // namespace

// Of one command. Whoever drops it without a call has not executed the command to its end.
class HubClient::Impl::Answer {
 public:
  Answer(std::shared_ptr<Impl> impl, uint64_t of, std::string key)
      : impl_(std::move(impl)), of_(of), key_(std::move(key)) {}
  ~Answer() {
    if (!given_) Give(absl::InternalError("the command was dropped without an answer"), "");
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void Give(absl::Status status, std::string response) {
    given_ = true;
    impl_->Post([of = of_, key = key_, status = std::move(status),
                 response = std::move(response)](Impl& impl) mutable {
      impl.CommandEnded(of, key, status, std::move(response));
    });
  }

 private:
  const std::shared_ptr<Impl> impl_;
  const uint64_t of_;  // Attempt.
  const std::string key_;
  bool given_ = false;
};

void HubClient::Impl::OnCommand(hub::CommandRequest& request) {
  Command command{std::move(*request.mutable_key()), std::move(*request.mutable_type()),
                  std::move(*request.mutable_payload()), DurationOf(request.deadline())};
  ++commands;
  auto answer = std::make_unique<Answer>(shared_from_this(), attempt, command.key);
  if (commands > options.commands_max || !events.on_command) {
    metrics.commands_refused.Increment();
    return answer->Give(Error(absl::StatusCode::kResourceExhausted,
                              absl::StrCat(options.commands_max, " commands are under way in ",
                                           options.spoke, ": try again later"))
                            .Reason("COMMANDS_BUSY"),
                        "");
  }
  events.on_command(std::move(command),
                    [answer = std::move(answer)](absl::Status status, std::string response) {
                      answer->Give(std::move(status), std::move(response));
                    });
}

void HubClient::Impl::CommandEnded(uint64_t of, const std::string& key, const absl::Status& status,
                                   std::string response) {
  --commands;
  // The hub that asked has told its sender that nobody knows; the same key over another stream is
  // another execution.
  if (of != attempt || stream == nullptr) return metrics.commands_late.Increment();
  metrics.commands_done.Increment();
  absl::Status told = status;
  if (response.size() > kResponseBytesMax) {
    told = Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("the command was executed, and its response has ", response.size(),
                              " bytes; at most ", kResponseBytesMax, " are allowed"))
               .Reason("COMMAND_RESPONSE_TOO_LARGE");
    response.clear();
  }
  hub::SpokeFrame frame;
  hub::CommandDone& done = *frame.mutable_command_done();
  done.set_key(key);
  *done.mutable_status() = rpc::ToProto(told);
  done.set_response(std::move(response));
  stream->Send(std::move(frame));
}

}  // namespace skerry::hubclient
