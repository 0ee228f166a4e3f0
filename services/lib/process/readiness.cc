#include "services/lib/process/readiness.h"

#include <utility>

#include "absl/strings/str_join.h"

namespace skerry::process {

Readiness::Token::Token(Readiness& owner, absl::string_view what) : owner_(owner) {
  owner_.Change([this, what]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    id_ = owner_.next_id_++;
    owner_.conditions_.emplace(id_, Condition{std::string(what), false});
  });
}

Readiness::Token::~Token() {
  owner_.Change([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { owner_.conditions_.erase(id_); });
}

void Readiness::Token::Set(bool ready) {
  owner_.Change([this, ready]()
                    ABSL_NO_THREAD_SAFETY_ANALYSIS { owner_.conditions_.at(id_).holds = ready; });
}

std::unique_ptr<Readiness::Token> Readiness::Register(absl::string_view what) {
  return std::make_unique<Token>(*this, what);
}

bool Readiness::ready() const {
  absl::MutexLock lock(&mutex_);
  return Holds();
}

std::string Readiness::WaitingFor() const {
  absl::MutexLock lock(&mutex_);
  std::vector<absl::string_view> missing;
  for (const auto& [id, condition] : conditions_) {
    if (!condition.holds) missing.push_back(condition.what);
  }
  return absl::StrJoin(missing, ", ");
}

void Readiness::OnChange(std::function<void(bool ready)> listener) {
  absl::MutexLock notify(&notify_mutex_);
  listener(ready());
  listeners_.push_back(std::move(listener));
}

void Readiness::Change(const std::function<void()>& change) {
  // Held throughout, so that listeners see the changes in the order in which they were made.
  absl::MutexLock notify(&notify_mutex_);
  bool after = false;
  {
    absl::MutexLock lock(&mutex_);
    change();
    after = Holds();
  }
  if (after == told_) return;
  told_ = after;
  for (const auto& listener : listeners_) listener(after);
}

bool Readiness::Holds() const {
  for (const auto& [id, condition] : conditions_) {
    if (!condition.holds) return false;
  }
  return true;
}

}  // namespace skerry::process
