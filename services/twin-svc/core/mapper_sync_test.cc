#include "services/twin-svc/core/mapper_sync.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace skerry::twin {
namespace {

using Call = MapperSync::Call;
using Kind = MapperSync::Kind;
using Told = MapperSync::Told;

constexpr absl::Duration kNow = absl::Hours(1);

class MapperSyncTest : public ::testing::Test {
 protected:
  // All that it says at once, each call a success.
  std::vector<Call> Flush() {
    std::vector<Call> calls;
    while (std::optional<Call> call = sync_.Next(kNow)) {
      calls.push_back(*call);
      sync_.Done(true, kNow);
    }
    return calls;
  }

  MapperSync sync_;
};

TEST_F(MapperSyncTest, SaysNothingBeforeTheMapperIsThere) {
  sync_.WantModel("ns/m", "1");
  sync_.WantDevice("ns/d", "1");
  EXPECT_EQ(sync_.Next(kNow), std::nullopt);
  sync_.Registered();
  EXPECT_EQ(sync_.Next(kNow), std::nullopt) << "the registration named all";
  EXPECT_EQ(sync_.behind(), 0u);
}

TEST_F(MapperSyncTest, AModelComesBeforeItsDevicesAndGoesAfterThem) {
  sync_.Registered();
  sync_.WantDevice("ns/d", "1");
  sync_.WantModel("ns/m", "1");
  EXPECT_EQ(Flush(),
            (std::vector<Call>{{Kind::kCreateModel, "ns/m"}, {Kind::kRegisterDevice, "ns/d"}}));
  sync_.DropModel("ns/m");
  sync_.DropDevice("ns/d");
  EXPECT_EQ(Flush(),
            (std::vector<Call>{{Kind::kRemoveDevice, "ns/d"}, {Kind::kRemoveModel, "ns/m"}}));
}

TEST_F(MapperSyncTest, OnlyWhatDiffersIsSaidAndTheNewestOnce) {
  sync_.WantDevice("ns/d", "1");
  sync_.WantModel("ns/m", "1");
  sync_.Registered();
  sync_.WantDevice("ns/d", "2");
  sync_.WantDevice("ns/d", "3");
  sync_.WantModel("ns/m", "2");
  sync_.WantModel("ns/m", "1");
  EXPECT_EQ(sync_.behind(), 1u);
  EXPECT_EQ(Flush(), (std::vector<Call>{{Kind::kUpdateDevice, "ns/d"}}));
  EXPECT_EQ(sync_.behind(), 0u);
}

TEST_F(MapperSyncTest, OneCallAtATime) {
  sync_.Registered();
  sync_.WantDevice("ns/a", "1");
  sync_.WantDevice("ns/b", "1");
  EXPECT_TRUE(sync_.Next(kNow).has_value());
  EXPECT_EQ(sync_.Next(kNow), std::nullopt);
}

TEST_F(MapperSyncTest, WhatChangesDuringACallIsSaidAfterIt) {
  sync_.Registered();
  sync_.WantDevice("ns/d", "1");
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  sync_.WantDevice("ns/d", "2");
  sync_.Done(true, kNow);
  EXPECT_EQ(sync_.Next(kNow), (Call{Kind::kUpdateDevice, "ns/d"}));
  sync_.DropDevice("ns/d");
  sync_.Done(true, kNow);
  EXPECT_EQ(sync_.Next(kNow), (Call{Kind::kRemoveDevice, "ns/d"}));
}

TEST_F(MapperSyncTest, WhatFailsIsTriedAgainAndHoldsUpNoOther) {
  sync_.Registered();
  sync_.WantDevice("ns/a", "1");
  sync_.WantDevice("ns/b", "1");
  EXPECT_EQ(sync_.Next(kNow), (Call{Kind::kRegisterDevice, "ns/a"}));
  sync_.Done(false, kNow);
  EXPECT_EQ(sync_.NextWake(), kNow + MapperSync::kRetryMin);
  EXPECT_EQ(sync_.Next(kNow), (Call{Kind::kRegisterDevice, "ns/b"}));
  sync_.Done(true, kNow);
  EXPECT_EQ(sync_.Next(kNow), std::nullopt);
  const absl::Duration later = sync_.NextWake();
  EXPECT_EQ(sync_.Next(later), (Call{Kind::kRegisterDevice, "ns/a"}));
  sync_.Done(false, later);
  EXPECT_EQ(sync_.NextWake(), later + 2 * MapperSync::kRetryMin);
  sync_.WantDevice("ns/a", "2");
  EXPECT_EQ(sync_.Next(later), (Call{Kind::kRegisterDevice, "ns/a"})) << "it is another one now";
}

TEST_F(MapperSyncTest, ACallThatFailedMayHaveHadItsEffect) {
  sync_.Registered();
  sync_.WantDevice("ns/d", "1");
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  sync_.Done(false, kNow);
  sync_.DropDevice("ns/d");
  EXPECT_EQ(sync_.Next(kNow), (Call{Kind::kRemoveDevice, "ns/d"}));
}

TEST_F(MapperSyncTest, PausesHaveABound) {
  sync_.Registered();
  sync_.WantDevice("ns/a", "1");
  absl::Duration now = kNow;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(sync_.Next(now).has_value());
    sync_.Done(false, now);
    ASSERT_LE(sync_.NextWake() - now, MapperSync::kRetryMax);
    now = sync_.NextWake();
  }
}

TEST_F(MapperSyncTest, ACallThatAMapperMayHaveSeenBeforeItRegisteredIsSaidAgain) {
  sync_.Registered();
  sync_.WantDevice("ns/d", "1");
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  sync_.WantDevice("ns/d", "2");
  sync_.Registered();
  sync_.Done(true, kNow);
  EXPECT_EQ(Flush(),
            (std::vector<Call>{{Kind::kRegisterDevice, "ns/d"}, {Kind::kUpdateDevice, "ns/d"}}));
  sync_.WantDevice("ns/d", "3");
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  sync_.DropDevice("ns/d");
  sync_.Registered();
  sync_.Done(true, kNow);
  EXPECT_EQ(sync_.Next(kNow), (Call{Kind::kRemoveDevice, "ns/d"}));
}

TEST_F(MapperSyncTest, AMapperThatIsAwayIsTriedAfterPauses) {
  sync_.Registered();
  sync_.WantDevice("ns/a", "1");
  sync_.WantDevice("ns/b", "1");
  ASSERT_EQ(sync_.Next(kNow), (Call{Kind::kRegisterDevice, "ns/a"}));
  sync_.Away(kNow);
  EXPECT_TRUE(sync_.away());
  EXPECT_EQ(sync_.Next(kNow), std::nullopt) << "nor are others told";
  absl::Duration now = sync_.NextWake();
  EXPECT_EQ(now, kNow + MapperSync::kRetryMin);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(sync_.Next(now).has_value());
    sync_.Away(now);
    ASSERT_LE(sync_.NextWake() - now, MapperSync::kRetryMax);
    now = sync_.NextWake();
  }
  ASSERT_TRUE(sync_.Next(now).has_value());
  sync_.Done(false, now);
  EXPECT_FALSE(sync_.away()) << "whoever refuses is there";
  sync_.WantDevice("ns/c", "1");
  EXPECT_EQ(sync_.Next(now), (Call{Kind::kRegisterDevice, "ns/c"})) << "it has not failed yet";
}

TEST_F(MapperSyncTest, ADeviceThatAMapperCannotReachHoldsUpNoOther) {
  sync_.Registered();
  std::set<std::string> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.insert(absl::StrCat("ns/b", i));
    sync_.WantDevice(absl::StrCat("ns/b", i), "1");
  }
  sync_.WantDevice("ns/a", "1");
  absl::Duration now = kNow;
  while (!waiting.empty() && now < kNow + absl::Seconds(10)) {
    const std::optional<Call> call = sync_.Next(now);
    if (!call.has_value()) {
      now = sync_.NextWake();
    } else if (call->name == "ns/a") {
      sync_.Away(now);
    } else {
      waiting.erase(call->name);
      sync_.Done(true, now);
    }
  }
  EXPECT_TRUE(waiting.empty());
}

TEST_F(MapperSyncTest, AMapperThatRegistersIsBack) {
  sync_.Registered();
  sync_.WantDevice("ns/a", "1");
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  sync_.Away(kNow);
  sync_.Registered();
  EXPECT_FALSE(sync_.away());
  sync_.WantDevice("ns/b", "1");
  EXPECT_EQ(Flush(), (std::vector<Call>{{Kind::kRegisterDevice, "ns/b"}}));
}

TEST_F(MapperSyncTest, WhatAnAnswerHadNoRoomForIsTold) {
  sync_.WantModel("ns/m", "1");
  sync_.WantDevice("ns/a", "1");
  sync_.WantDevice("ns/b", "1");
  sync_.Registered({.devices = {"ns/b"}});
  EXPECT_EQ(sync_.behind(), 1u);
  EXPECT_EQ(Flush(), (std::vector<Call>{{Kind::kRegisterDevice, "ns/b"}}));
  sync_.Registered({.models = {"ns/m"}, .devices = {"ns/a", "ns/b"}});
  EXPECT_EQ(Flush(), (std::vector<Call>{{Kind::kCreateModel, "ns/m"},
                                        {Kind::kRegisterDevice, "ns/a"},
                                        {Kind::kRegisterDevice, "ns/b"}}));
}

TEST_F(MapperSyncTest, TellsWhatIsToBeKept) {
  sync_.WantModel("ns/m", "1");
  sync_.WantDevice("ns/a", "1");
  sync_.Registered();
  EXPECT_EQ(sync_.TakeTold(), (std::vector<Told>{{true, "ns/m", "1"}, {false, "ns/a", "1"}}));
  EXPECT_TRUE(sync_.TakeTold().empty());
  sync_.WantDevice("ns/a", "2");
  EXPECT_TRUE(sync_.TakeTold().empty());
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  EXPECT_EQ(sync_.TakeTold(), (std::vector<Told>{{false, "ns/a", ""}})) << "before the call";
  sync_.Done(true, kNow);
  EXPECT_EQ(sync_.TakeTold(), (std::vector<Told>{{false, "ns/a", "2"}}));
  sync_.DropDevice("ns/a");
  ASSERT_TRUE(sync_.Next(kNow).has_value());
  sync_.Done(true, kNow);
  EXPECT_EQ(sync_.TakeTold(), (std::vector<Told>{{false, "ns/a", std::nullopt}}));
}

// [twin-4.2]
TEST_F(MapperSyncTest, GoesOnWithWhatWasKept) {
  sync_.WantDevice("ns/same", "1");
  sync_.WantDevice("ns/changed", "2");
  sync_.WantDevice("ns/unsure", "1");
  sync_.WantDevice("ns/new", "1");
  sync_.Restore({{false, "ns/same", "1"},
                 {false, "ns/changed", "1"},
                 {false, "ns/unsure", ""},
                 {false, "ns/gone", "1"}},
                true);
  EXPECT_EQ(Flush(), (std::vector<Call>{{Kind::kRemoveDevice, "ns/gone"},
                                        {Kind::kUpdateDevice, "ns/changed"},
                                        {Kind::kRegisterDevice, "ns/new"},
                                        {Kind::kRegisterDevice, "ns/unsure"},
                                        {Kind::kUpdateDevice, "ns/unsure"}}));
}

TEST_F(MapperSyncTest, WhereMoreMayHaveBeenToldNothingIsTakenForNew) {
  sync_.WantDevice("ns/new", "1");
  sync_.Restore({}, false);
  EXPECT_EQ(Flush(), (std::vector<Call>{{Kind::kRegisterDevice, "ns/new"},
                                        {Kind::kUpdateDevice, "ns/new"}}));
}

// [twin-4.1] Whatever changes, fails and restarts in between: in the end the mapper has what is
// wanted.
TEST_F(MapperSyncTest, ConvergesFromAnything) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    MapperSync sync;
    std::map<std::string, std::string> wanted, mapper;
    std::map<std::string, std::optional<std::string>> kept;
    std::optional<std::pair<Call, std::string>> call;  // With what it carries.
    absl::Duration now = kNow;
    const auto keep = [&] {
      for (const Told& told : sync.TakeTold()) kept[told.name] = told.content;
    };
    const auto take_effect = [&](bool ok) {
      // One that failed, as one that took too long, may have had its effect.
      if (ok || random() % 2 == 0) {
        const auto& [given, content] = *call;
        if (given.kind == Kind::kRemoveDevice) {
          mapper.erase(given.name);
        } else if (given.kind == Kind::kUpdateDevice || mapper.count(given.name) == 0) {
          mapper[given.name] = content;  // To register a known device changes nothing.
        }
      }
      call.reset();
    };
    const auto finish = [&](bool ok) {
      take_effect(ok);
      if (ok || random() % 2 == 0) {
        sync.Done(ok, now);
      } else {
        sync.Away(now);
      }
      keep();
    };
    // This process dies, the mapper does not.
    const auto restart = [&] {
      if (call.has_value()) take_effect(false);
      std::vector<Told> told;
      for (const auto& [name, content] : kept) told.push_back({false, name, content});
      sync = MapperSync();
      for (const auto& [name, content] : wanted) sync.WantDevice(name, content);
      sync.Restore(told, true);
    };
    const auto next = [&] {
      if (const std::optional<Call> given = sync.Next(now)) {
        call = {*given, wanted.count(given->name) > 0 ? wanted.at(given->name) : ""};
      }
      keep();
    };
    sync.Registered();
    for (int i = 0; i < 200; ++i) {
      const std::string name = absl::StrCat("ns/", random() % 4);
      switch (random() % 6) {
        case 0:
          wanted[name] = absl::StrCat(i % 3);  // Also one that it had before.
          sync.WantDevice(name, wanted[name]);
          break;
        case 1:
          wanted.erase(name);
          sync.DropDevice(name);
          break;
        case 2:
          if (call.has_value()) finish(random() % 2 == 0);
          break;
        case 3:
          if (random() % 8 == 0) {
            mapper = wanted;
            sync.Registered();
            keep();
          } else if (random() % 8 == 0) {
            restart();
          }
          break;
        default:
          now += absl::Milliseconds(random() % 500);
          if (!call.has_value()) next();
      }
    }
    for (int i = 0; i < 100 && (call.has_value() || sync.behind() > 0); ++i) {
      if (call.has_value()) finish(true);
      now += MapperSync::kRetryMax;
      next();
    }
    ASSERT_EQ(mapper, wanted);
    ASSERT_EQ(sync.behind(), 0u);
  }
}

}  // namespace
}  // namespace skerry::twin
