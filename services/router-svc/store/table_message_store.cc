#include "services/router-svc/store/table_message_store.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::router {
namespace {

constexpr int64_t kRowBytes = 256;

int64_t SizeOf(const NewMessage& m) {
  return static_cast<int64_t>(m.payload.size() + m.key.size() + m.source.size() + m.rule.size()) +
         kRowBytes;
}

}  // namespace

void TableMessageStore::Totals::RemoveWaiting(const NewMessage& message) {
  Size& size = waiting[message.rule];
  size.Remove(SizeOf(message));
  if (size.count <= 0) waiting.erase(message.rule);
}

absl::StatusOr<std::unique_ptr<TableMessageStore>> TableMessageStore::Open(
    std::unique_ptr<MessageTables> tables, const Bounds& bounds) {
  std::unique_ptr<TableMessageStore> store(new TableMessageStore(std::move(tables), bounds));
  absl::MutexLock lock(&store->mutex_);
  if (absl::Status loaded = store->Load(); !loaded.ok()) return Annotate(loaded, "message store");
  return store;
}

absl::Status TableMessageStore::Load() {
  const absl::Status loaded =
      tables_->Transact([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
        totals_ = {};
        SKERRY_ASSIGN_OR_RETURN(const std::vector<MessageTables::Size> sizes, tables_->Sizes());
        for (const MessageTables::Size& size : sizes) {
          Totals::Size& total = size.dead ? totals_.letters : totals_.waiting[size.rule];
          total.count += size.count;
          total.bytes += size.bytes + size.count * kRowBytes;
        }
        return absl::OkStatus();
      });
  stale_ = !loaded.ok();
  return loaded;
}

absl::Status TableMessageStore::Change(absl::FunctionRef<absl::Status(Totals&)> body) {
  if (stale_) SKERRY_RETURN_IF_ERROR(Load());
  Totals totals;
  const absl::Status done = tables_->Transact([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    totals = totals_;
    return body(totals);
  });
  if (done.ok()) totals_ = std::move(totals);
  stale_ = stale_ || absl::IsUnknown(done);  // It may have been committed.
  return done;
}

absl::Status TableMessageStore::Put(const NewMessage& message, absl::Time now, Totals& totals,
                                    Accepted& accepted) {
  const int64_t size = SizeOf(message);
  const auto present = totals.waiting.find(message.rule);
  const bool dead =
      (present == totals.waiting.end() ? 0 : present->second.bytes) + size > bounds_.rule_bytes_max;
  DeadLetter row;
  static_cast<NewMessage&>(row) = message;
  row.receive_time = row.dead_time = now;
  if (dead) {
    row.error = absl::StrCat("RULE_QUEUE_FULL: messages of ", bounds_.rule_bytes_max,
                             " bytes wait for this rule's target");
  }
  SKERRY_RETURN_IF_ERROR(tables_->Insert(row, dead));
  (dead ? totals.letters : totals.waiting[row.rule]).Add(size);
  ++(dead ? accepted.overflowed : accepted.waiting)[row.rule];
  return absl::OkStatus();
}

absl::StatusOr<Accepted> TableMessageStore::Accept(const EventSource& source,
                                                   const std::vector<NewEvent>& events,
                                                   absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Accepted accepted;
  SKERRY_RETURN_IF_ERROR(Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    accepted = {};
    SKERRY_ASSIGN_OR_RETURN(const uint64_t before, tables_->LastSequence(source));
    uint64_t last = before;
    for (const NewEvent& event : events) {
      if (event.sequence <= last) {
        ++accepted.repeated;
        continue;
      }
      for (const NewMessage& message : event.messages)
        SKERRY_RETURN_IF_ERROR(Put(message, now, totals, accepted));
      last = event.sequence;
    }
    SKERRY_RETURN_IF_ERROR(MakeRoom(totals, accepted.letters_dropped));
    return last == before ? absl::OkStatus() : tables_->SetLast(source, last);
  }));
  return accepted;
}

absl::StatusOr<std::vector<DeadLetter>> TableMessageStore::List(bool dead, const std::string& rule,
                                                                int64_t after, size_t count_max) {
  std::vector<DeadLetter> found;
  SKERRY_RETURN_IF_ERROR(tables_->Transact([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(found, tables_->List(dead, rule, after, count_max));
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<std::vector<Message>> TableMessageStore::Waiting(const std::string& rule,
                                                                size_t count_max) {
  absl::MutexLock lock(&mutex_);
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DeadLetter> rows, List(false, rule, 0, count_max));
  return std::vector<Message>(rows.begin(), rows.end());
}

std::vector<std::string> TableMessageStore::RulesWaiting() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> rules;
  for (const auto& [rule, size] : totals_.waiting) rules.push_back(rule);
  return rules;
}

absl::StatusOr<DeadLetter> TableMessageStore::Find(int64_t id, bool dead) {
  SKERRY_ASSIGN_OR_RETURN(std::optional<DeadLetter> found, tables_->Find(id, dead));
  if (found.has_value()) return *std::move(found);
  return Error(absl::StatusCode::kNotFound, absl::StrCat("there is no dead letter ", id))
      .Reason("DEAD_LETTER_UNKNOWN");
}

absl::Status TableMessageStore::Remove(const std::vector<int64_t>& ids) {
  if (ids.empty()) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  return Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    for (const int64_t id : ids) {
      SKERRY_ASSIGN_OR_RETURN(const std::optional<DeadLetter> message, tables_->Find(id, false));
      if (!message.has_value()) continue;
      SKERRY_RETURN_IF_ERROR(tables_->Delete(id));
      totals.RemoveWaiting(*message);
    }
    return absl::OkStatus();
  });
}

// The oldest letters go until the rest is within the bound.
absl::Status TableMessageStore::MakeRoom(Totals& totals, int64_t& dropped) {
  while (totals.letters.bytes > bounds_.letter_bytes_max) {
    SKERRY_ASSIGN_OR_RETURN(const std::vector<DeadLetter> oldest, tables_->List(true, "", 0, 1));
    if (oldest.empty()) {  // Another process has dropped them.
      totals.letters = {};
      return absl::OkStatus();
    }
    SKERRY_RETURN_IF_ERROR(tables_->Delete(oldest[0].id));
    totals.letters.Remove(SizeOf(oldest[0]));
    ++dropped;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> TableMessageStore::Bury(int64_t id, absl::string_view error,
                                                absl::Time now) {
  absl::MutexLock lock(&mutex_);
  int64_t dropped = 0;
  SKERRY_RETURN_IF_ERROR(Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    dropped = 0;
    SKERRY_ASSIGN_OR_RETURN(DeadLetter letter, Find(id, false));
    SKERRY_RETURN_IF_ERROR(tables_->Delete(id));
    letter.id = 0;  // Behind all others: MakeRoom must not begin with it.
    letter.error = std::string(error);
    letter.dead_time = now;
    SKERRY_RETURN_IF_ERROR(tables_->Insert(letter, true));
    totals.RemoveWaiting(letter);
    totals.letters.Add(SizeOf(letter));
    return MakeRoom(totals, dropped);
  }));
  return dropped;
}

absl::StatusOr<std::vector<DeadLetter>> TableMessageStore::Letters(const std::string& rule,
                                                                   int64_t after,
                                                                   size_t count_max) {
  absl::MutexLock lock(&mutex_);
  return List(true, rule, after, count_max);
}

absl::StatusOr<std::string> TableMessageStore::Replay(int64_t id, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  std::string rule;
  SKERRY_RETURN_IF_ERROR(Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(DeadLetter letter, Find(id, true));
    rule = letter.rule;
    const int64_t size = SizeOf(letter);
    const auto present = totals.waiting.find(rule);
    if ((present == totals.waiting.end() ? 0 : present->second.bytes) + size >
        bounds_.rule_bytes_max) {
      return Error(absl::StatusCode::kResourceExhausted,
                   absl::StrCat("too much waits for rule ", rule, ": try again later"))
          .Reason("RULE_QUEUE_FULL");
    }
    SKERRY_RETURN_IF_ERROR(tables_->Delete(id));
    letter.id = 0;  // Behind all others.
    letter.receive_time = now;
    letter.error.clear();
    SKERRY_RETURN_IF_ERROR(tables_->Insert(letter, false));
    totals.waiting[rule].Add(size);
    totals.letters.Remove(size);
    return absl::OkStatus();
  }));
  return rule;
}

absl::Status TableMessageStore::Drop(int64_t id) {
  absl::MutexLock lock(&mutex_);
  return Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(const DeadLetter letter, Find(id, true));
    SKERRY_RETURN_IF_ERROR(tables_->Delete(id));
    totals.letters.Remove(SizeOf(letter));
    return absl::OkStatus();
  });
}

MessageStats TableMessageStore::stats() {
  absl::MutexLock lock(&mutex_);
  MessageStats stats{.letters = totals_.letters.count,
                     .letter_bytes = totals_.letters.bytes,
                     .store_bytes = tables_->SizeBytes()};
  for (const auto& [rule, size] : totals_.waiting) {
    stats.waiting += size.count;
    stats.waiting_bytes += size.bytes;
    stats.rule_waiting_bytes = std::max(stats.rule_waiting_bytes, size.bytes);
  }
  return stats;
}

}  // namespace skerry::router
