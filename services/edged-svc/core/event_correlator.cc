#include "services/edged-svc/core/event_correlator.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace skerry::edged {

bool EventCorrelator::IsCombined(const std::string& group, const std::string& message,
                                 absl::Duration at) {
  Similar& similar = similar_.Use(group);
  if (at - similar.at > kCombineWithin) similar.messages.clear();
  similar.at = at;
  const size_t hash = std::hash<std::string>()(message);
  if (similar.messages.contains(hash)) return false;
  if (similar.messages.size() >= kMessagesMax) return true;
  similar.messages.insert(hash);
  return false;
}

bool EventCorrelator::TakeToken(const EventTarget& about, absl::Duration at) {
  Bucket& bucket = buckets_.Use(absl::StrCat(about.kind, "\n", about.uid));
  if (bucket.at.has_value()) {
    bucket.tokens = std::min(kBurst, bucket.tokens + absl::FDivDuration(at - *bucket.at, kRefill));
  }
  bucket.at = at;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

std::optional<EventRecord> EventCorrelator::Observe(const EventTarget& about, EventType type,
                                                    absl::string_view reason,
                                                    absl::string_view message, absl::Time now,
                                                    absl::Duration at) {
  const std::string group = absl::StrJoin(
      {about.kind, about.uid, about.field_path,
       std::string(type == EventType::kNormal ? "Normal" : "Warning"), std::string(reason)},
      "\n");
  std::string text(message);
  const bool combined = IsCombined(group, text, at);
  if (combined) text = absl::StrCat("(combined from similar events): ", text);
  text = text.substr(0, kMessageBytesMax);
  Seen& seen = seen_.Use(combined ? absl::StrCat(group, "\ncombined")
                                  : absl::StrCat(group, "\nmessage: ", text));
  EventRecord& record = seen.record;
  if (record.count == 0 || at - seen.at > kForget)
    record = {absl::StrCat(instance_, "-", ++last_number_),
              about,
              type,
              std::string(reason),
              "",
              now,
              now,
              0};
  ++record.count;
  record.last = now;
  record.message = std::move(text);
  seen.at = at;
  if (!TakeToken(about, at)) return std::nullopt;
  return record;
}

}  // namespace skerry::edged
