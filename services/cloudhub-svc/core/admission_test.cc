// Runs testdata/admission/*.txt. Commands: new, arrive, await-sync, begin, leave, advance. And a
// seeded storm.
#include "services/cloudhub-svc/core/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/testing/script_test.h"

namespace skerry::cloudhub {
namespace {

using skerry::testing::ScriptCommand;

class Machine {
 public:
  std::string Run(const ScriptCommand& c) {
    if (c.name == "new") {
      Admission::Config config;
      config.syncs_max = static_cast<size_t>(c.Int("syncs"));
      config.waiting_max = static_cast<size_t>(c.Int("waiting"));
      config.tickets_max = static_cast<size_t>(c.Int("tickets", 100));
      admission_ = std::make_unique<Admission>(config);
      return "";
    }
    if (c.name == "state") {
      return absl::StrCat("syncs=", admission_->syncs(), " waiting=", admission_->waiting(),
                          " tickets=", admission_->tickets(), " overruns=", admission_->overruns());
    }
    if (c.name == "advance") {
      std::string out;
      for (int i = 0; i < 4 * c.Int("seconds"); ++i) {
        now_ += absl::Milliseconds(250);
        absl::StrAppend(&out, Text(admission_->Tick(now_)));
      }
      return out;
    }
    // "a.2" is the second connection of node a.
    std::string out;
    for (const std::string& word : c.words) {
      const Admission::Id id = IdOf(word);
      if (c.name == "arrive") {
        absl::StrAppend(&out, Text(admission_->Arrive(id, word.substr(0, word.find('.')), now_)));
      } else if (c.name == "await-sync") {
        absl::StrAppend(&out, Text(admission_->AwaitSync(id, now_)));
      } else if (c.name == "begin") {
        admission_->Begin(id, now_);
      } else if (c.name == "leave") {
        absl::StrAppend(&out, Text(admission_->Leave(id, now_)));
      } else {
        ADD_FAILURE() << "unknown command in line " << c.line << ": " << c.text;
      }
    }
    return out;
  }

 private:
  Admission::Id IdOf(const std::string& name) {
    auto [it, inserted] = ids_.try_emplace(name, ids_.size() + 1);
    if (inserted) names_[it->second] = name;
    return it->second;
  }
  // Waits without their jitter: to the whole second below its range.
  std::string Text(const std::vector<Admission::Verdict>& verdicts) {
    std::string out;
    for (const Admission::Verdict& verdict : verdicts) {
      absl::StrAppend(&out, names_.at(verdict.id), verdict.admitted ? " in" : " away", "\n");
    }
    return out;
  }

  absl::Duration now_ = absl::Seconds(1000);
  std::map<std::string, Admission::Id> ids_;
  std::map<Admission::Id, std::string> names_;
  std::unique_ptr<Admission> admission_;
};

TEST(AdmissionTest, FollowsTheScripts) {
  skerry::testing::RunScripts("services/cloudhub-svc/core/testdata/admission", [] {
    return [machine = std::make_shared<Machine>()](const ScriptCommand& command) {
      return machine->Run(command);
    };
  });
}

// link-11.3: waits are as long as the queue, spread by a quarter, and within what an edge takes.
TEST(AdmissionTest, TicketsAreForTheTimeOfTheirTurnWithJitter) {
  Admission admission({.syncs_max = 10, .waiting_max = 1});
  Admission::Id id = 0;
  const auto arrive = [&] {
    ++id;
    return admission.Arrive(id, absl::StrCat("n", id), absl::ZeroDuration());
  };
  for (int i = 0; i < 11; ++i) arrive();
  std::vector<absl::Duration> early;
  std::vector<absl::Duration> late;
  for (int i = 0; i < 1000; ++i) {
    const std::vector<Admission::Verdict> verdicts = arrive();
    ASSERT_EQ(verdicts.size(), 1u);
    ASSERT_FALSE(verdicts[0].admitted);
    (i < 10 ? early : late).push_back(verdicts[0].retry_after);
  }
  EXPECT_GE(*std::min_element(early.begin(), early.end()), absl::Seconds(0.75));
  EXPECT_LE(*std::max_element(early.begin(), early.end()), absl::Seconds(1.5));
  // Syncs take a second until one has been seen: the 500th waits 50 s, which is cut to 48.
  std::sort(late.begin() + 490, late.end());
  EXPECT_LT(late[490], absl::Seconds(40));
  EXPECT_GT(late.back(), absl::Seconds(56));
  EXPECT_LE(late.back(), absl::Seconds(60));
}

// L5: everybody gets in, in about the order of the first dial, whoever stays away or never gets
// done; never more than syncs_max at a time.
TEST(AdmissionTest, AStormOfAnySeedIsAdmittedInOrder) {
  struct Node {
    Admission::Id id = 0;
    absl::Duration dial;        // Infinite: on its way in, or in.
    absl::Duration done;        // Of its sync.
    absl::Duration first_dial;  // Infinite: not yet.
    absl::Duration in = absl::InfiniteDuration();
  };
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    std::mt19937_64 random(seed);
    const auto between = [&](double low, double high) {
      return absl::Seconds(std::uniform_real_distribution<double>(low, high)(random));
    };
    Admission admission({.syncs_max = 20, .waiting_max = 40, .seed = seed});
    std::vector<Node> nodes(1000);
    std::map<Admission::Id, size_t> by_id;
    for (Node& node : nodes) {
      node.dial = between(0, 1);
      node.done = node.first_dial = absl::InfiniteDuration();
    }
    size_t in_sync = 0;
    absl::Duration now;
    const auto hear = [&](const std::vector<Admission::Verdict>& verdicts) {
      for (const Admission::Verdict& verdict : verdicts) {
        Node& node = nodes[by_id.at(verdict.id)];
        if (verdict.admitted) {
          node.in = now;
          node.done = now + between(0.2, 0.6);
          admission.Begin(verdict.id, now);
        } else {
          node.dial = now + verdict.retry_after + between(0, 1);
        }
      }
    };
    for (; now < absl::Seconds(120) && in_sync < nodes.size(); now += absl::Milliseconds(10)) {
      for (size_t i = 0; i < nodes.size(); ++i) {
        Node& node = nodes[i];
        if (node.dial <= now) {
          node.dial = absl::InfiniteDuration();
          node.first_dial = std::min(node.first_dial, now);
          node.id = by_id.size() + 1;
          by_id[node.id] = i;
          hear(admission.Arrive(node.id, absl::StrCat("n", i), now));
        } else if (node.done <= now) {
          node.done = absl::InfiniteDuration();
          ++in_sync;
          hear(admission.Leave(node.id, now));
        }
      }
      ASSERT_LE(admission.syncs(), 20u);
      ASSERT_LE(admission.waiting(), 40u);
      hear(admission.Tick(now));
    }
    ASSERT_EQ(in_sync, nodes.size());
    // 20 places for 0.4 s each are 50 a second: 20 s at the best.
    EXPECT_LT(now, absl::Seconds(40));
    EXPECT_EQ(admission.tickets(), 0u);
  }
}

}  // namespace
}  // namespace skerry::cloudhub
