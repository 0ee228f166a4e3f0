// What ADR 30 says of a twin, computed anew from all that its box has seen of the device.
#ifndef SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_RULE_H_
#define SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_RULE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

// The history of the desired values of each property, as it arrived on the box, and the rule read
// off from it: the last word counts, where the cloud's is one only if it is another than its former
// one. It keeps no state that the rule would have to change, so it has none of core/twin's steps.
class TwinRule {
 public:
  struct Word {
    bool cloud = false;          // Else of the box.
    std::optional<Value> value;  // Of the box, none: the cloud's is to hold.
    int64_t generation = 0;      // Of the Device that the box had then, or that brought it.
  };

  // `last_stamp` counts for all rules of a box: no stamp is given twice.
  explicit TwinRule(uint64_t& last_stamp) : last_stamp_(&last_stamp) {}

  void Declare(const Declaration& device);

  enum class Outcome { kDone, kRedelivery, kRefused };
  // Refused: for an expected stamp that is another one.
  Outcome Apply(const Write& write, const std::map<std::string, uint64_t>& expected_stamps);

  // Changes with the desired value of the property; 0 where it never had one.
  uint64_t StampOf(const std::string& property) const;
  // Writes whose redelivery must be known.
  const std::deque<Write>& known() const { return known_; }
  // The history of each property that is there.
  std::map<std::string, std::vector<Word>> words() const;
  std::optional<Value> Desired(const std::string& property) const;
  bool InConflict(const std::string& property) const;
  // Empty, or what of `twin` is not as it must be.
  std::string Differs(const Twin& twin) const;

  const std::string& uid() const { return uid_; }

 private:
  struct History {
    bool declared = false;
    std::vector<Word> words;
    std::optional<Value> reported;
    uint64_t stamp = 0;
  };

  static std::optional<Value> Desired(const History& history);
  static std::optional<Value> Declared(const std::vector<Word>& words, size_t end);
  static std::optional<Conflict> ConflictOf(const History& history);
  void Say(const std::string& property, Word word);

  std::string uid_;
  int64_t generation_ = 0;
  std::map<std::string, History> properties_;
  std::deque<Write> known_;
  uint64_t* last_stamp_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_RULE_H_
