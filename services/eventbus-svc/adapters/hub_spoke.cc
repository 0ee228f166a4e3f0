#include "services/eventbus-svc/adapters/hub_spoke.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "services/eventbus-svc/core/user_messages.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/hubclient/hub_dialer.h"

namespace skerry::eventbus {
namespace {

constexpr char kUserMessages[] = "usermessages";
constexpr char kMqttPublish[] = "mqttpublish";

}  // namespace

HubSpoke::HubSpoke(const Options& options, Publish publish, BusMetrics& metrics)
    : options_(options), publish_(std::move(publish)), metrics_(metrics) {}

absl::StatusOr<std::unique_ptr<HubSpoke>> HubSpoke::Create(const Options& options,
                                                           exec::SerialExecutor& executor,
                                                           Publish publish,
                                                           hubclient::HubClientMetrics& hub_metrics,
                                                           BusMetrics& metrics, log::Logger log) {
  SKERRY_ASSIGN_OR_RETURN(hubclient::HubDialer dialer, hubclient::MakeHubDialer(options.address));
  std::unique_ptr<HubSpoke> spoke(new HubSpoke(options, std::move(publish), metrics));
  hubclient::HubClient::Options client;
  client.spoke = "eventbus-svc";
  client.event_streams = {{.name = kUserMessages}};
  client.command_types = {kMqttPublish};
  client.reconnect_max = options.reconnect_max;
  hubclient::HubEvents events;
  events.on_command = [raw = spoke.get()](hubclient::Command command, hubclient::CommandDone done) {
    raw->OnCommand(std::move(command), std::move(done));
  };
  spoke->client_ =
      std::make_unique<hubclient::HubClient>(std::move(client), std::move(dialer), executor,
                                             std::move(events), hub_metrics, std::move(log));
  return spoke;
}

HubSpoke::~HubSpoke() { Stop(); }

void HubSpoke::Start() { client_->Start(); }

void HubSpoke::Stop() { client_->Stop(); }

void HubSpoke::Put(const std::vector<WaitingUpload>& uploads, Uploader::PutDone done) {
  hubclient::EventBatch batch{.stream = kUserMessages, .producer = options_.store_id};
  for (const WaitingUpload& each : uploads) {
    v1::UserMessage message;
    message.set_topic(each.upload.topic);
    message.set_payload(each.upload.payload);
    batch.events.push_back({.producer_sequence = each.sequence,
                            .time = each.upload.time,
                            .key = each.upload.topic,
                            .value = message.SerializeAsString()});
  }
  client_->PutEvents(std::move(batch), [done = std::move(done)](hubclient::EventsPut put) mutable {
    done(put.stored, put.status);
  });
}

void HubSpoke::OnCommand(hubclient::Command command, hubclient::CommandDone done) {
  v1::UserMessage message;
  absl::Status status;
  if (!message.ParseFromString(command.payload)) {
    status = Error(absl::StatusCode::kInvalidArgument,
                   "the command's payload is no skerry.eventbus.v1.UserMessage")
                 .Reason("COMMAND_UNREADABLE");
  } else {
    status = CheckUserMessage(message.topic(), message.payload().size());
  }
  if (!status.ok()) {
    metrics_.commands_refused.Increment();
    return done(status, "");
  }
  publish_({.topic = message.topic(), .payload = message.payload(), .retain = message.retain()},
           [this, done = std::move(done)](const absl::Status& given) mutable {
             (given.ok() ? metrics_.commands_done : metrics_.commands_refused).Increment();
             done(given, "");
           });
}

}  // namespace skerry::eventbus
