#include "services/router-svc/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/router-svc/wire/rule_objects.h"

namespace skerry::router {
namespace {

constexpr char kService[] = "router-svc";
constexpr absl::Duration kMeasureInterval = absl::Seconds(5);

}  // namespace

Engine::Engine(Options options, kubeclient::Client& client, cloudspoke::HubSource& hubs,
               MessageStore& store, http::Caller& caller, Listener listener, Clock& clock,
               RouterMetrics& metrics, log::Logger log)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      store_(store),
      metrics_(metrics),
      log_(log),
      executor_("engine", clock),
      rules_(options_.targets, metrics),
      pusher_({.types = {kRuleType}}, executor_, box_rules_, metrics.hubs, log),
      deliverer_(options_.delivery, rules_, store, caller, clock, metrics, log),
      user_messages_(
          kUserMessages, rules_, store,
          [this](const std::string& node, uint64_t epoch) { return StoreIdOf(node, epoch); },
          [this](const std::string& rule) { Wake(rule); }, clock, metrics),
      service_posts_(
          kServicePosts, rules_, store,
          [this](const std::string& node, uint64_t epoch) { return StoreIdOf(node, epoch); },
          [this](const std::string& rule) { Wake(rule); }, clock, metrics),
      user_applier_(
          {.stream = kUserMessages,
           .batch_max = 256,
           .backoff_max = options_.delivery.store_backoff_max},
          user_messages_, sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            hubs_.Send(hub, std::move(frame));
          },
          clock, metrics.intake, metrics.hubs, log),
      post_applier_(
          {.stream = kServicePosts,
           .batch_max = 256,
           .backoff_max = options_.delivery.store_backoff_max},
          service_posts_, sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            hubs_.Send(hub, std::move(frame));
          },
          clock, metrics.intake, metrics.hubs, log),
      status_(options_.status_interval, rules_, client, clock, metrics, log),
      hubs_({.spoke = absl::StrCat(kService, "/", options_.instance),
             .resource_types = {kRuleType},
             .event_streams = {kUserMessages, kServicePosts},
             .find_interval = options_.find_hubs_interval},
            hubs, executor_, sessions_, pusher_, *this, clock, metrics.hubs, log),
      rule_informer_(client, {.resource = Rules()},
                     {.on_upsert = [this](const KubeObject& rule) { OnRule(rule); },
                      .on_delete = [this](const KubeObject& rule) { OnRuleDeleted(rule); },
                      .on_synced = [this] { executor_.Post([this] { OnInformerSynced(); }); }},
                     metrics.rules, log),
      endpoint_informer_(
          client, {.resource = RuleEndpoints()},
          {.on_upsert = [this](const KubeObject& object) { rules_.UpsertEndpoint(object); },
           .on_delete = [this](const KubeObject& object) { rules_.DeleteEndpoint(object.key()); },
           .on_synced = [this] { executor_.Post([this] { OnInformerSynced(); }); }},
          metrics.endpoints, log) {}

Engine::~Engine() { Stop(); }

void Engine::Start() {
  rule_informer_.Start();
  endpoint_informer_.Start();
}

void Engine::OnRule(const KubeObject& rule) {
  rules_.UpsertRule(rule);
  executor_.Post([this, rule] { Touch(box_rules_.Upsert(rule), rule.key()); });
  Wake(rule.key());
}

void Engine::OnRuleDeleted(const KubeObject& rule) {
  rules_.DeleteRule(rule.key());
  executor_.Post([this, rule] { Touch(box_rules_.Remove(rule.key()), rule.key()); });
  Wake(rule.key());
}

void Engine::Touch(const std::vector<std::string>& nodes, const std::string& rule) {
  for (const std::string& node : nodes) pusher_.Touch(node, kRuleType, rule);
}

void Engine::OnInformerSynced() {
  if (++synced_ < 2) return;
  log_.Info("rules known, attaching to hubs");
  user_applier_.Start();
  post_applier_.Start();
  deliverer_.Start();
  status_.Start();
  hubs_.Start();
  MeasureStore();
  listener_.on_synced();
}

void Engine::MeasureStore() {
  const MessageStats stats = store_.stats();
  metrics_.waiting.Set(static_cast<double>(stats.waiting));
  metrics_.waiting_bytes.Set(static_cast<double>(stats.waiting_bytes));
  metrics_.rule_waiting_bytes.Set(static_cast<double>(stats.rule_waiting_bytes));
  metrics_.dead_letters.Set(static_cast<double>(stats.letters));
  metrics_.dead_letter_bytes.Set(static_cast<double>(stats.letter_bytes));
  metrics_.store_bytes.Set(static_cast<double>(stats.store_bytes));
  executor_.PostAfter(kMeasureInterval, [this] { MeasureStore(); });
}

void Engine::Stop() {
  if (std::exchange(stopped_, true)) return;
  // Sources first, then what they feed.
  rule_informer_.Stop();
  endpoint_informer_.Stop();
  hubs_.Detach();
  user_applier_.Stop();
  post_applier_.Stop();
  deliverer_.Stop();
  status_.Stop(/*flush=*/true);
  hubs_.Stop();  // A name's lookup may take long to fail.
  executor_.Stop();
}

std::string Engine::StoreIdOf(const std::string& node, uint64_t epoch) const {
  const std::optional<cloudspoke::Session> session = sessions_.Find(node);
  const bool current = session.has_value() && session->connected && session->epoch == epoch;
  return current ? session->event_store_id : "";
}

void Engine::OnNodeGone(const std::string& node) {
  user_applier_.SessionEnded(node);
  post_applier_.SessionEnded(node);
}

void Engine::OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
  cloudspoke::EventApplier& applier =
      frame.stream() == kServicePosts ? post_applier_ : user_applier_;
  applier.OnEvents(hub, frame);  // Which counts a stream that is neither's.
}

}  // namespace skerry::router
