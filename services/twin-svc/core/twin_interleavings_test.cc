// D1 over random interleavings: declarations, writes and reports that come late, twice, again after
// a crash, or not at all. SKERRY_SEEDS and SKERRY_SEED choose how many, or which one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {
namespace {

constexpr const char* kProperties[] = {"a", "b", "c"};
constexpr int kSteps = 120;

// Every value is written once: one that is seen again after it was replaced went back.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed) { ChangeDevice(); }

  void Step() {
    switch (Below(9)) {
      case 0:
      case 1:
        return ChangeDevice();
      case 2:
        return DeliverDevice(device_);
      case 3:  // Late, or again.
        return DeliverDevice(former_[Below(former_.size())]);
      case 4:
        return Send({.id = Id(), .desired = {{AnyProperty(), Next("local")}}});
      case 5:
      case 6:
        return Send({.id = Id(), .reported = {{AnyProperty(), Next("report")}}});
      case 7:  // The sender has not heard, and sends again.
        if (!sent_.empty())
          Redeliver(
              sent_[sent_.size() - 1 - Below(std::min<size_t>(sent_.size(), Twin::kWriteIdsMax))]);
        return;
      default:
        return TakeBack();
    }
  }

  // All that is to come has come.
  void Settle() {
    DeliverDevice(device_);
    EXPECT_EQ(twin_.generation, device_.generation);
    EXPECT_EQ(twin_.uid, device_.uid);
    for (const auto& [name, declared] : device_.properties) {
      const Property& property = twin_.properties.at(name);
      EXPECT_EQ(property.cloud, declared.desired) << name;
      const auto last = last_report_.find(name);
      if (last != last_report_.end()) {
        EXPECT_EQ(property.reported->value, last->second) << name;
      }
    }
  }

 private:
  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  std::string AnyProperty() { return kProperties[Below(std::size(kProperties))]; }
  Value Next(absl::string_view writer) {
    return {.value = absl::StrCat(++last_value_), .writer = std::string(writer)};
  }
  uint64_t Id() { return ++last_id_; }

  void ChangeDevice() {
    ++device_.generation;
    if (device_.uid.empty() || Below(20) == 0) {
      device_ = {absl::StrCat("uid-", ++last_id_), 1, {}};
      former_.clear();  // The link gives no box an object of a former uid after one of a later.
      for (const char* name : kProperties) device_.properties[name] = {};
      anew_ = true;
    }
    Declared& declared = device_.properties[AnyProperty()];
    if (Below(8) == 0) {
      declared.desired.reset();
    } else {
      declared.desired = Next("cloud");
    }
    former_.push_back(device_);
    if (Below(3) == 0 || anew_) DeliverDevice(device_);
  }

  void DeliverDevice(const Declaration& device) {
    const bool stale = device.uid == twin_.uid && device.generation <= twin_.generation;
    if (device.uid != twin_.uid) Forget();
    anew_ = false;
    Do([&](Twin& twin) { Declare(twin, device); }, stale);
  }

  void Send(const Write& write) {
    sent_.push_back(write);
    for (const auto& [name, value] : write.reported) last_report_[name] = value.value;
    Do([&](Twin& twin) { ASSERT_THAT(Apply(twin, write).status(), testing::IsOk()); }, false);
  }
  void Redeliver(const Write& write) {
    Do([&](Twin& twin) { ASSERT_THAT(Apply(twin, write).status(), testing::IsOk()); }, true);
  }
  // What the box wrote is taken back: the cloud's value holds again, rightly.
  void TakeBack() {
    const std::string name = AnyProperty();
    const auto it = twin_.properties.find(name);
    if (it != twin_.properties.end() && it->second.cloud.has_value()) {
      replaced_[name].erase(it->second.cloud->value);
    }
    Send({.id = Id(), .desired = {{name, std::nullopt}}});
  }

  // A device that was made anew has forgotten all, but not who wrote.
  void Forget() {
    replaced_.clear();
    last_report_.clear();
  }

  template <typename Action>
  void Do(const Action& action, bool changes_nothing) {
    const Twin before = twin_;
    if (Below(4) == 0) {  // The process dies before it has stored: all is as before.
      Twin lost = twin_;
      action(lost);
    }
    action(twin_);
    if (changes_nothing) {
      EXPECT_EQ(twin_, before);
    }
    Check(before);
  }

  void Check(const Twin& before) {
    EXPECT_GE(twin_.version, before.version);
    if (twin_.uid != before.uid) return;
    EXPECT_GE(twin_.generation, before.generation);
    for (const auto& [name, property] : twin_.properties) {
      const auto it = before.properties.find(name);
      if (it == before.properties.end()) continue;
      const Property& former = it->second;
      EXPECT_GE(property.desired_version, former.desired_version) << name;
      EXPECT_GE(property.reported_version, former.reported_version) << name;
      if (property.desired() != former.desired()) {
        EXPECT_GT(property.desired_version, former.desired_version) << name;
        if (former.desired().has_value()) replaced_[name].insert(former.desired()->value);
      }
      if (property.desired().has_value()) {
        EXPECT_EQ(replaced_[name].count(property.desired()->value), 0u)
            << name << " went back to " << property.desired()->value;
      }
      if (former.reported.has_value()) {
        EXPECT_GE(Number(*property.reported), Number(*former.reported)) << name;
      }
      // What was written here gives way to any change of the cloud's, and never silently.
      if (former.local.has_value() && property.cloud != former.cloud) {
        EXPECT_FALSE(property.local.has_value()) << name;
        ASSERT_TRUE(property.conflict.has_value()) << name;
        EXPECT_EQ(property.conflict->local, *former.local) << name;
      }
    }
  }
  static int Number(const Value& value) {
    int number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(value.value, &number));
    return number;
  }

  std::mt19937_64 random_;
  Twin twin_;
  Declaration device_;
  std::vector<Declaration> former_;
  std::vector<Write> sent_;
  std::map<std::string, std::set<std::string>> replaced_;  // Desired values, by property.
  std::map<std::string, std::string> last_report_;
  int last_value_ = 0;
  int last_id_ = 0;
  bool anew_ = false;
};

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  uint64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

TEST(TwinInterleavingsTest, NothingGoesBack) {
  const uint64_t first = FromEnvironment("SKERRY_SEED", 1);
  const uint64_t count = FromEnvironment("SKERRY_SEEDS", std::getenv("SKERRY_SEED") ? 1 : 1000);
  for (uint64_t seed = first; seed < first + count && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("SKERRY_SEED=", seed));
    World world(seed);
    for (int i = 0; i < kSteps && !::testing::Test::HasFailure(); ++i) world.Step();
    world.Settle();
  }
}

}  // namespace
}  // namespace skerry::twin
