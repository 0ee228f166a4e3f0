// Messages that go as one where several wait. Not for use outside of this folder.
#ifndef SKERRY_SERVICES_LIB_RPC_BUNDLE_H_
#define SKERRY_SERVICES_LIB_RPC_BUNDLE_H_

#include <concepts>
#include <cstddef>
#include <utility>

namespace skerry::rpc::internal {

// A type with `repeated Type following` takes part: what follows is as if it had come in messages
// of its own.
template <typename Message>
concept Bundled = requires(Message message) {
  { message.add_following() } -> std::same_as<Message*>;
};

// Beyond, what waits goes in the next one: one write does not grow with what waits.
constexpr size_t kBundleBytesMax = 64u << 10;

// Nested ones are as deep as the decoder let them be: 100.
template <typename Message, typename Handle>
void ForEachMessage(Message message, const Handle& handle) {
  if constexpr (Bundled<Message>) {
    auto following = std::move(*message.mutable_following());
    message.clear_following();
    handle(std::move(message));
    for (Message& next : following) ForEachMessage(std::move(next), handle);
  } else {
    handle(std::move(message));
  }
}

}  // namespace skerry::rpc::internal

#endif  // SKERRY_SERVICES_LIB_RPC_BUNDLE_H_
