#include "services/lib/hubclient/hub_client.h"

#include "services/lib/hubclient/hub_client_impl.h"
#include "services/lib/hubclient/hub_frames.h"

namespace skerry::hubclient {

HubClient::HubClient(Options options, HubDialer dialer, exec::SerialExecutor& executor,
                     HubEvents events, HubClientMetrics& metrics, log::Logger log)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(dialer), executor,
                                   std::move(events), metrics, std::move(log))) {
  metrics.waiting_bytes_max.Set(static_cast<double>(impl_->options.waiting_bytes_max));
}

HubClient::~HubClient() { Stop(); }

void HubClient::Start() {
  impl_->Post([](Impl& impl) { impl.Dial(); });
}

void HubClient::Stop() {
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->stopping = true;
  }
  impl_->executor.Run([this] { impl_->Close(); });
  absl::MutexLock lock(&impl_->mutex);
  impl_->mutex.Await(absl::Condition(
      +[](bool* open) { return !*open; }, &impl_->stream_open));
}

void HubClient::PutReport(absl::string_view type, absl::string_view key, int64_t generation,
                          std::string value, ReportDone done) {
  Report report{std::string(type), std::string(key), generation, std::move(value), std::move(done)};
  if (impl_->is_stopping()) return report.done(Stopping());
  if (!impl_->Reserve(report.bytes())) return report.done(Busy(impl_->options.waiting_bytes_max));
  impl_->executor.Post([impl = impl_, report = std::move(report)]() mutable {
    if (impl->stopped) return impl->End(std::move(report), Stopping());
    impl->Put(std::move(report));
  });
}

void HubClient::PutEvents(EventBatch events, EventsDone done) {
  if (impl_->is_stopping()) return done({0, Stopping()});
  if (absl::Status status = CheckBatch(events); !status.ok()) return done({0, status});
  Impl::Batch batch{std::move(events), std::move(done)};
  batch.bytes = BytesOf(batch.events);
  if (!impl_->Reserve(batch.bytes)) {
    return batch.done({0, Busy(impl_->options.waiting_bytes_max)});
  }
  StreamName name(batch.events.stream, batch.events.producer);
  impl_->executor.Post([impl = impl_, name = std::move(name), batch = std::move(batch)]() mutable {
    if (!impl->stopped) return impl->Put(std::move(name), std::move(batch));
    impl->Release(batch.bytes);
    batch.done({0, Stopping()});
  });
}

bool HubClient::attached() const { return impl_->attached.load(); }

size_t HubClient::waiting_bytes() const { return impl_->waiting_bytes.load(); }

}  // namespace skerry::hubclient
