#include "services/mappers/lib/core/property_cycle.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"

namespace skerry::mapper {
namespace {

constexpr absl::Duration kWriteRetryMin = absl::Milliseconds(500);
constexpr absl::Duration kWriteRetryMax = absl::Seconds(30);

// Keeps the rhythm; cycles that were missed are not made up for.
absl::Duration NextOf(absl::Duration due, absl::Duration cycle, absl::Duration now) {
  return due + cycle > now ? due + cycle : now + cycle;
}

}  // namespace

PropertyCycle::PropertyCycle(PropertyPlan plan, absl::Duration now, uint64_t seed)
    : plan_(std::move(plan)),
      read_due_(now),
      write_due_(now),
      write_backoff_(kWriteRetryMin, kWriteRetryMax, seed),
      report_due_(now) {}

void PropertyCycle::Replan(PropertyPlan plan, absl::Duration now) {
  if (plan.desired != plan_.desired) {
    write_backoff_.Reset();
    write_due_ = now;
    if (!plan.desired.has_value()) written_.reset();  // Desired again, it is written again.
  }
  report_due_ = std::min(report_due_, now + plan.report_cycle);
  plan_ = std::move(plan);
  ReadNow(now);
}

void PropertyCycle::ForgetWritten(absl::Duration now) {
  written_.reset();
  write_backoff_.Reset();
  write_due_ = now;
}

void PropertyCycle::ReadNow(absl::Duration now) { read_due_ = std::min(read_due_, now); }

void PropertyCycle::OnReadStarted(absl::Duration now) {
  read_due_ = NextOf(read_due_, plan_.collect_cycle, now);
}

void PropertyCycle::OnReturned() {
  if (written_.has_value()) returned_ = true;
  // What was written and not read back yet is not known to hold.
  if (confirm_) value_.reset();
}

void PropertyCycle::OnRead(Value value, absl::Duration now) {
  const bool holds = value_.has_value() && value_->text == value.text;
  if (std::exchange(returned_, false) && !holds) ForgetWritten(now);
  value_ = std::move(value);
  fresh_ = true;
  if (std::exchange(confirm_, false) || (plan_.report_on_change && Changed())) urgent_ = true;
}

void PropertyCycle::OnReadFailed() {
  if (!std::exchange(confirm_, false)) return;
  fresh_ = true;  // What the device took is news, if it can't be read back, too.
  urgent_ = true;
}

bool PropertyCycle::Changed() const {
  if (!told_.has_value()) return true;
  double before = 0;
  double after = 0;
  if (absl::SimpleAtod(*told_, &before) && absl::SimpleAtod(value_->text, &after)) {
    return !(std::abs(after - before) <= plan_.dead_band);  // Not a number: changed.
  }
  return value_->text != *told_;
}

absl::Duration PropertyCycle::write_due() const {
  const bool done =
      !plan_.desired.has_value() || (written_.has_value() && written_->text == *plan_.desired);
  return done ? absl::InfiniteDuration() : write_due_;
}

void PropertyCycle::OnWritten(Value value, absl::Duration now) {
  // A newer value that came meanwhile is due at once.
  write_backoff_.Reset();
  write_due_ = now;
  if (plan_.desired.has_value()) written_ = std::move(value);
  confirm_ = true;
  returned_ = false;
  ReadNow(now);
}

void PropertyCycle::OnWriteFailed(absl::Duration now) {
  // Not before a moment has passed, however the jitter falls: a device that fails is slow, too.
  write_due_ = now + kWriteRetryMin / 2 + write_backoff_.Next();
}

absl::Duration PropertyCycle::report_due() const {
  if (!plan_.report || !fresh_) return absl::InfiniteDuration();
  return urgent_ ? -absl::InfiniteDuration() : report_due_;
}

TwinReport PropertyCycle::StartReport(absl::Duration now) {
  // The cycle is the longest silence, so it begins anew with a report out of turn.
  report_due_ = urgent_ ? now + plan_.report_cycle : NextOf(report_due_, plan_.report_cycle, now);
  fresh_ = false;
  urgent_ = false;
  if (value_.has_value()) told_ = value_->text;
  return {plan_.name, written_, value_};
}

void PropertyCycle::OnReported() { alone_ = false; }

void PropertyCycle::OnReportFailed() {
  fresh_ = true;
  urgent_ = true;
}

void PropertyCycle::OnReportRefused(bool was_alone) {
  if (!was_alone) OnReportFailed();
  alone_ = true;
}

size_t PropertyCycle::report_bytes() const {
  return plan_.name.size() + (value_.has_value() ? value_->text.size() : 0) +
         (written_.has_value() ? written_->text.size() : 0);
}

}  // namespace skerry::mapper
