#include "services/twin-svc/simulation/twin_rule.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::twin {
namespace {

bool Same(const std::optional<Value>& a, const std::optional<Value>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->value == b->value && a->metadata == b->metadata;
}

std::string Text(const std::optional<Value>& value) {
  return value.has_value() ? absl::StrCat("'", value->value, "' of ", value->writer) : "nothing";
}

std::string Text(const std::optional<Conflict>& conflict) {
  if (!conflict.has_value()) return "no conflict";
  return absl::StrCat(Text(conflict->local), " replaced by ", Text(conflict->cloud), " in ",
                      conflict->generation);
}

bool Same(const std::optional<Conflict>& a, const std::optional<Conflict>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->local == b->local && Same(a->cloud, b->cloud) && a->generation == b->generation;
}

}  // namespace

void TwinRule::Declare(const Declaration& device) {
  if (device.uid != uid_) {
    // Who wrote is known over devices; what they wrote is gone with the former.
    std::deque<Write> known = std::move(known_);
    *this = TwinRule(*last_stamp_);
    known_ = std::move(known);
    uid_ = device.uid;
  } else if (device.generation <= generation_) {
    return;
  }
  generation_ = device.generation;
  for (auto it = properties_.begin(); it != properties_.end();) {
    const bool gone = it->second.declared && device.properties.count(it->first) == 0;
    it = gone ? properties_.erase(it) : std::next(it);
  }
  for (const auto& [name, declared] : device.properties) {
    History& history = properties_[name];
    history.declared = true;
    if (!Same(Declared(history.words, history.words.size()), declared.desired))
      Say(name, {true, declared.desired, generation_});
  }
}

void TwinRule::Say(const std::string& property, Word word) {
  History& history = properties_[property];
  // Who says the same again says nothing.
  if (!word.cloud && !history.words.empty() && !history.words.back().cloud &&
      Same(word.value, history.words.back().value))
    return;
  const std::optional<Value> before = Desired(history);
  history.words.push_back(std::move(word));
  if (!Same(before, Desired(history))) history.stamp = ++*last_stamp_;
}

TwinRule::Outcome TwinRule::Apply(const Write& write,
                                  const std::map<std::string, uint64_t>& expected_stamps) {
  const auto known = [&](const Write& other) { return other.id == write.id; };
  if (write.id != 0 && std::any_of(known_.begin(), known_.end(), known))
    return Outcome::kRedelivery;
  for (const auto& [name, stamp] : expected_stamps) {
    if (StampOf(name) != stamp) return Outcome::kRefused;
  }
  for (const auto& [name, value] : write.desired) {
    if (value.has_value() || properties_.count(name) != 0) Say(name, {false, value, generation_});
  }
  for (const auto& [name, value] : write.reported) properties_[name].reported = value;
  if (write.id != 0) known_.push_back(write);
  if (known_.size() > Twin::kWriteIdsMax) known_.pop_front();
  return Outcome::kDone;
}

uint64_t TwinRule::StampOf(const std::string& property) const {
  const auto it = properties_.find(property);
  return it == properties_.end() ? 0 : it->second.stamp;
}

std::map<std::string, std::vector<TwinRule::Word>> TwinRule::words() const {
  std::map<std::string, std::vector<Word>> words;
  for (const auto& [name, history] : properties_) words[name] = history.words;
  return words;
}

std::optional<Value> TwinRule::Desired(const std::string& property) const {
  const auto it = properties_.find(property);
  return it == properties_.end() ? std::nullopt : Desired(it->second);
}

bool TwinRule::InConflict(const std::string& property) const {
  const auto it = properties_.find(property);
  return it != properties_.end() && ConflictOf(it->second).has_value();
}

std::optional<Value> TwinRule::Declared(const std::vector<Word>& words, size_t end) {
  while (end > 0) {
    if (words[--end].cloud) return words[end].value;
  }
  return std::nullopt;
}

std::optional<Value> TwinRule::Desired(const History& history) {
  if (history.words.empty()) return std::nullopt;
  const Word& last = history.words.back();
  if (!last.cloud && last.value.has_value()) return last.value;
  return Declared(history.words, history.words.size());
}

// The cloud's first word after the box's last one, unless both say the same, or the box said
// nothing else than the cloud did.
std::optional<Conflict> TwinRule::ConflictOf(const History& history) {
  const std::vector<Word>& words = history.words;
  size_t end = words.size();
  while (end > 0 && words[end - 1].cloud) --end;
  if (end == 0 || end == words.size()) return std::nullopt;
  const Word& local = words[end - 1];
  const Word& cloud = words[end];
  if (!local.value.has_value() || Same(local.value, Declared(words, end))) return std::nullopt;
  if (cloud.value.has_value() && cloud.value->value == local.value->value) return std::nullopt;
  return Conflict{*local.value, cloud.value, cloud.generation};
}

std::string TwinRule::Differs(const Twin& twin) const {
  if (twin.uid != uid_ || twin.generation != generation_) {
    return absl::StrCat("it is of ", twin.uid, " ", twin.generation, ", not of ", uid_, " ",
                        generation_);
  }
  for (const auto& [name, property] : twin.properties) {
    if (properties_.count(name) == 0) return absl::StrCat(name, " should not be there");
  }
  for (const auto& [name, history] : properties_) {
    const auto it = twin.properties.find(name);
    if (it == twin.properties.end()) return absl::StrCat(name, " is not there");
    const Property& property = it->second;
    const std::optional<Value> declared = Declared(history.words, history.words.size());
    if (property.declared != history.declared) return absl::StrCat(name, ": declared or not");
    if (!Same(property.cloud, declared))
      return absl::StrCat(name, ": declared is ", Text(property.cloud), ", not ", Text(declared));
    if (!Same(property.desired(), Desired(history))) {
      return absl::StrCat(name, ": desired is ", Text(property.desired()), ", not ",
                          Text(Desired(history)));
    }
    if (property.reported != history.reported) {
      return absl::StrCat(name, ": reported is ", Text(property.reported), ", not ",
                          Text(history.reported));
    }
    if (!Same(property.conflict, ConflictOf(history))) {
      return absl::StrCat(name, ": ", Text(property.conflict), ", not ", Text(ConflictOf(history)));
    }
  }
  return "";
}

}  // namespace skerry::twin
