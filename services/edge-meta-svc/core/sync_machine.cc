#include "services/edge-meta-svc/core/sync_machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edge-meta-svc/core/object_check.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"

namespace skerry::edgemeta {

SyncMachine::SyncMachine(size_t object_bytes_max, size_t staged_max)
    : object_bytes_max_(object_bytes_max), staged_max_(staged_max) {}

void SyncMachine::Reset() { subscriptions_.clear(); }

void SyncMachine::Subscribe(absl::string_view type, uint64_t subscription_id) {
  subscriptions_[std::string(type)] = Subscription{.id = subscription_id};
}

absl::Status SyncMachine::Fold(ResourceEvent event, Batch& batch, Folded& folded) {
  auto it = subscriptions_.find(event.type);
  if (it == subscriptions_.end() || it->second.id != event.subscription_id) {
    folded = Folded::kStale;
    return absl::OkStatus();
  }
  Subscription& subscription = it->second;
  if (event.sequence != subscription.last_sequence + 1) {
    return Error(absl::StatusCode::kInvalidArgument, "a message of the subscription is missing")
        .Reason("SEQUENCE_GAP")
        .Meta("type", event.type)
        .Meta("expected", absl::StrCat(subscription.last_sequence + 1))
        .Meta("got", absl::StrCat(event.sequence));
  }
  folded = Folded::kTaken;
  absl::Status rejection;
  if (auto* upsert = std::get_if<ResourceEvent::Upsert>(&event.change)) {
    rejection = CheckObject(event.type, upsert->key, upsert->object, object_bytes_max_);
    if (rejection.ok()) {
      subscription.staged_deletes.erase(upsert->key);
      batch.bytes += upsert->object.size();
      batch.mutations.push_back({Mutation::Kind::kUpsert, event.type, std::move(upsert->key),
                                 std::move(upsert->version), std::move(upsert->object)});
    }
  } else if (auto* del = std::get_if<ResourceEvent::Delete>(&event.change)) {
    rejection = ObjectKey::Parse(del->key).status();
    if (rejection.ok() && subscription.synced) {
      batch.mutations.push_back({Mutation::Kind::kDelete, event.type, std::move(del->key), "", ""});
    } else if (rejection.ok()) {
      if (subscription.staged_deletes.size() >= staged_max_) {
        return Error(absl::StatusCode::kResourceExhausted, "too many deletes wait for synced")
            .Reason("STAGED_FULL")
            .Meta("type", event.type);
      }
      subscription.staged_deletes.insert(std::move(del->key));
    }
  } else if (std::holds_alternative<ResourceEvent::Synced>(event.change)) {
    for (const std::string& key : subscription.staged_deletes) {
      batch.mutations.push_back({Mutation::Kind::kDelete, event.type, key, "", ""});
    }
    subscription.staged_deletes.clear();
    subscription.synced = true;
    batch.synced.insert(event.type);
  } else {
    rejection =
        Error(absl::StatusCode::kUnimplemented, "a kind of change that this version does not know")
            .Reason("CHANGE_UNKNOWN");
  }
  subscription.last_sequence = event.sequence;
  Ack& ack = batch.acks[event.type];
  if (ack.subscription_id != event.subscription_id)
    ack = Ack{.subscription_id = event.subscription_id};
  ack.sequence = event.sequence;
  if (!rejection.ok()) {
    ack.rejections.emplace_back(event.sequence, std::move(rejection));
    folded = Folded::kRejected;
  }
  return absl::OkStatus();
}

bool SyncMachine::synced(absl::string_view type) const {
  auto it = subscriptions_.find(std::string(type));
  return it != subscriptions_.end() && it->second.synced;
}

}  // namespace skerry::edgemeta
