#include "services/lib/kubeclient/informer.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "absl/random/random.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeclient/api_errors.h"

namespace skerry::kubeclient {
namespace {

metrics::Labels Of(absl::string_view resource, absl::string_view operation = "") {
  metrics::Labels labels = {{"resource", std::string(resource)}};
  if (!operation.empty()) labels["operation"] = std::string(operation);
  return labels;
}

constexpr auto kShortWatch = std::chrono::seconds(5);

constexpr char kCalls[] = "skerry_kubeclient_informer_calls_total";
constexpr char kCallsHelp[] = "Lists and watches begun.";
constexpr char kErrors[] = "skerry_kubeclient_informer_errors_total";
constexpr char kErrorsHelp[] = "Lists and watches that failed.";

}  // namespace

InformerMetrics::InformerMetrics(metrics::Registry& registry, absl::string_view resource)
    : objects(registry.Gauge("skerry_kubeclient_informer_objects", "Objects in the cache.",
                             Of(resource))),
      lists(registry.Counter(kCalls, kCallsHelp, Of(resource, "list"))),
      watches(registry.Counter(kCalls, kCallsHelp, Of(resource, "watch"))),
      list_errors(registry.Counter(kErrors, kErrorsHelp, Of(resource, "list"))),
      watch_errors(registry.Counter(kErrors, kErrorsHelp, Of(resource, "watch"))) {}

Informer::Informer(Client& client, Options options, Handlers handlers, InformerMetrics& metrics,
                   log::Logger log)
    : client_(client),
      options_(std::move(options)),
      handlers_(std::move(handlers)),
      metrics_(metrics),
      log_(log.With({{"type", options_.resource.plural}})) {}

Informer::~Informer() { Stop(); }

void Informer::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Informer::Stop() {
  stop_.request_stop();
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool Informer::synced() const {
  absl::MutexLock lock(&mutex_);
  return synced_;
}

bool Informer::WaitForSync(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(&synced_), deadline);
}

std::optional<KubeObject> Informer::Get(absl::string_view key) const {
  absl::MutexLock lock(&mutex_);
  const auto it = cache_.find(std::string(key));
  if (it == cache_.end()) return std::nullopt;
  return it->second;
}

std::vector<KubeObject> Informer::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<KubeObject> objects;
  objects.reserve(cache_.size());
  for (const auto& [key, object] : cache_) objects.push_back(object);
  return objects;
}

size_t Informer::size() const {
  absl::MutexLock lock(&mutex_);
  return cache_.size();
}

bool Informer::Sleep(absl::Duration delay) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), delay);
  return !stopping_;
}

absl::Duration Informer::Jittered(absl::Duration base) {
  thread_local absl::BitGen random;
  return base * absl::Uniform(random, 0.5, 1.0);
}

void Informer::Loop() {
  absl::Duration backoff = options_.backoff_min;
  // Between a refused watch and the list that follows it; that list's success does not reset it,
  // or a server that lists but refuses every watch would be listed without end.
  absl::Duration refused_backoff = options_.backoff_min;
  Next next = Next::kList;
  while (!stop_.stop_requested()) {
    heard_ = false;
    const bool listing = next == Next::kList;
    const auto begun = std::chrono::steady_clock::now();
    absl::Status status = listing ? ListAll() : WatchOnce();
    if (stop_.stop_requested()) return;
    const bool refused = !listing && !MayResumeWatch(status);
    if (refused) next = Next::kList;
    if (status.ok()) {
      next = Next::kWatch;
      // A server that ends watches at once must not be hammered.
      if (listing || std::chrono::steady_clock::now() - begun > kShortWatch) Heard();
      if (heard_) {
        backoff = options_.backoff_min;
        if (!listing) refused_backoff = options_.backoff_min;
        continue;
      }
    } else if (refused && absl::IsOutOfRange(status)) {
      log_.Info("watch is too old, listing anew");
    } else {
      (listing ? metrics_.list_errors : metrics_.watch_errors).Increment();
      // The first failure of an outage is the news; the rest is in the metrics.
      if (!std::exchange(failing_, true)) {
        log_.Warning(listing   ? "list failed, will retry"
                     : refused ? "watch refused, will list anew"
                               : "watch broke, will resume",
                     status);
      }
    }
    if (!listing && heard_) refused_backoff = options_.backoff_min;
    absl::Duration& wait = refused ? refused_backoff : backoff;
    const absl::Duration delay =
        std::max(Jittered(wait), RetryAfter(status).value_or(absl::ZeroDuration()));
    if (!Sleep(std::min(delay, absl::Minutes(1)))) return;
    wait = heard_ ? options_.backoff_min : std::min(wait * 2, options_.backoff_max);
  }
}

absl::StatusOr<ObjectList> Informer::FetchAll() {
  ListOptions list_options{.label_selector = options_.label_selector,
                           .field_selector = options_.field_selector,
                           .limit = options_.page_size};
  list_options.call.stop = stop_.get_token();
  ObjectList all;
  while (true) {
    absl::StatusOr<ObjectList> page =
        client_.List(options_.resource, options_.object_namespace, list_options);
    if (absl::IsOutOfRange(page.status()) && !list_options.continue_token.empty()) {
      list_options.continue_token.clear();  // The pages took too long: all at once then.
      list_options.limit = 0;
      all = {};
      continue;
    }
    SKERRY_RETURN_IF_ERROR(page.status());
    std::move(page->items.begin(), page->items.end(), std::back_inserter(all.items));
    all.resource_version = page->resource_version;
    if (page->continue_token.empty()) return all;
    list_options.continue_token = page->continue_token;
  }
}

absl::Status Informer::ListAll() {
  metrics_.lists.Increment();
  SKERRY_ASSIGN_OR_RETURN(ObjectList list, FetchAll());
  std::unordered_set<std::string> present;
  for (const KubeObject& object : list.items) present.insert(object.key());
  std::vector<std::string> gone;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, object] : cache_) {
      if (!present.contains(key)) gone.push_back(key);
    }
  }
  for (const std::string& key : gone) Remove(key);
  for (KubeObject& object : list.items) Store(std::move(object));
  version_ = list.resource_version;
  bool first = false;
  {
    absl::MutexLock lock(&mutex_);
    first = !synced_;
    synced_ = true;
  }
  if (first) {
    log_.Info("cache synced", {{"objects", static_cast<uint64_t>(size())}});
    if (handlers_.on_synced) handlers_.on_synced();
  }
  return absl::OkStatus();
}

absl::Status Informer::WatchOnce() {
  metrics_.watches.Increment();
  thread_local absl::BitGen random;
  WatchOptions watch_options{.label_selector = options_.label_selector,
                             .field_selector = options_.field_selector,
                             .resource_version = version_,
                             .timeout = options_.watch_timeout * absl::Uniform(random, 1.0, 2.0),
                             .stop = stop_.get_token()};
  return client_.Watch(options_.resource, options_.object_namespace, watch_options,
                       [this](WatchEvent event) {
                         Heard();
                         OnEvent(std::move(event));
                       });
}

void Informer::Heard() {
  heard_ = true;
  if (std::exchange(failing_, false)) log_.Info("API server is back");
}

void Informer::OnEvent(WatchEvent event) {
  if (event.object.has_value()) {
    if (event.type == WatchEvent::Type::kDeleted) {
      Remove(event.object->key());
    } else {
      Store(*std::move(event.object));
    }
  }
  if (!event.resource_version.empty()) version_ = event.resource_version;
}

void Informer::Store(KubeObject object) {
  std::optional<KubeObject> replaced;
  {
    absl::MutexLock lock(&mutex_);
    auto [it, inserted] = cache_.try_emplace(object.key(), object);
    if (!inserted) {
      if (it->second.uid() == object.uid() &&
          it->second.resource_version() == object.resource_version()) {
        return;  // A new list brought what is known.
      }
      if (it->second.uid() != object.uid()) replaced = it->second;
      it->second = object;
    }
    metrics_.objects.Set(static_cast<double>(cache_.size()));
  }
  if (replaced.has_value() && handlers_.on_delete) handlers_.on_delete(*replaced);
  if (handlers_.on_upsert) handlers_.on_upsert(object);
}

void Informer::Remove(const std::string& key) {
  std::optional<KubeObject> last;
  {
    absl::MutexLock lock(&mutex_);
    auto node = cache_.extract(key);
    if (node.empty()) return;
    last = std::move(node.mapped());
    metrics_.objects.Set(static_cast<double>(cache_.size()));
  }
  if (handlers_.on_delete) handlers_.on_delete(*last);
}

}  // namespace skerry::kubeclient
