// Messages that go as one where several wait. Not for use outside of this folder.
#ifndef SKERRY_SERVICES_LIB_RPC_BUNDLE_H_
#define SKERRY_SERVICES_LIB_RPC_BUNDLE_H_

#include <concepts>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::rpc::internal {

// A type with `repeated Type following` takes part: what follows is as if it had come in messages
// of its own.
template <typename Message>
concept Bundled = requires(Message message) {
  { message.add_following() } -> std::same_as<Message*>;
};

// Beyond, what waits goes in the next one: one write does not grow with what waits. No end takes
// more messages in one than kBundleMessagesMax, the first among them (link-7.3).
constexpr size_t kBundleBytesMax = 64u << 10;
constexpr int kBundleMessagesMax = 256;

// Of what a peer sent. INVALID_ARGUMENT / BUNDLE_INVALID: more messages than one may have, or one
// of `following` has followers of its own.
template <typename Message>
absl::Status CheckBundle(const Message& message) {
  if constexpr (Bundled<Message>) {
    if (message.following_size() >= kBundleMessagesMax) {
      return Error(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("following: ", message.following_size(),
                                " messages follow the first, at most ", kBundleMessagesMax - 1,
                                " may: send the rest in another one"))
          .Reason("BUNDLE_INVALID");
    }
    for (int i = 0; i < message.following_size(); ++i) {
      if (message.following(i).following_size() == 0) continue;
      return Error(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("following[", i,
                                "].following: ", message.following(i).following_size(),
                                " messages; list all of them in the first one's following"))
          .Reason("BUNDLE_INVALID");
    }
  }
  return absl::OkStatus();
}

// `message` has passed CheckBundle.
template <typename Message, typename Handle>
void ForEachMessage(Message message, const Handle& handle) {
  if constexpr (Bundled<Message>) {
    auto following = std::move(*message.mutable_following());
    message.clear_following();
    handle(std::move(message));
    for (Message& next : following) handle(std::move(next));
  } else {
    handle(std::move(message));
  }
}

}  // namespace skerry::rpc::internal

#endif  // SKERRY_SERVICES_LIB_RPC_BUNDLE_H_
