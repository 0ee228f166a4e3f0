// A value that may be absent, and that its copies share.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_HELD_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_HELD_H_

#include <memory>
#include <optional>
#include <utility>

namespace skerry::twin {

// As std::optional<const T>, in two words: what is absent costs no more, and a copy is another
// reference to the same value, which does not change. Equal where the values are. Copies may be
// used on different threads.
template <typename T>
class Held {
 public:
  Held() = default;
  Held(std::nullopt_t) {}                                                 // NOLINT: as optional
  Held(T value) : value_(std::make_shared<const T>(std::move(value))) {}  // NOLINT: as optional
  Held(const std::optional<T>& value) {                                   // NOLINT: as optional
    if (value.has_value()) value_ = std::make_shared<const T>(*value);
  }

  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  const T& value() const { return *value_; }
  T value_or(T other) const { return has_value() ? *value_ : std::move(other); }
  void reset() { value_.reset(); }
  operator std::optional<T>() const {  // NOLINT: as optional
    return has_value() ? std::optional<T>(*value_) : std::nullopt;
  }

  friend bool operator==(const Held& a, const Held& b) {
    if (a.value_ == b.value_) return true;
    return a.has_value() && b.has_value() && *a == *b;
  }
  // std::optional's own would take a Held for a value of T, which is never absent.
  friend bool operator==(const Held& a, const std::optional<T>& b) {
    return a.has_value() == b.has_value() && (!a.has_value() || *a == *b);
  }
  friend bool operator==(const Held& a, const T& b) { return a.has_value() && *a == b; }
  friend bool operator==(const Held& a, std::nullopt_t) { return !a.has_value(); }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_HELD_H_
