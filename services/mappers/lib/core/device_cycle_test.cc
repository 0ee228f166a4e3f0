#include "services/mappers/lib/core/device_cycle.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/testing/script_test.h"
#include "services/mappers/lib/core/device_events.h"
#include "services/mappers/lib/core/device_plan.h"

namespace skerry::mapper {
namespace {

using skerry::testing::ScriptCommand;

absl::Status StatusOf(const ScriptCommand& c) {
  static const std::map<std::string, absl::StatusCode> kCodes = {
      {"ok", absl::StatusCode::kOk},
      {"unavailable", absl::StatusCode::kUnavailable},
      {"deadline", absl::StatusCode::kDeadlineExceeded},
      {"invalid", absl::StatusCode::kInvalidArgument},
      {"exhausted", absl::StatusCode::kResourceExhausted}};
  return absl::Status(kCodes.at(c.Arg("error", "ok")), "");
}

std::string Text(const Effect& effect) {
  if (std::holds_alternative<Connect>(effect)) return "connect";
  if (std::holds_alternative<Check>(effect)) return "check";
  if (const auto* read = std::get_if<Read>(&effect)) return "read " + read->property;
  if (const auto* write = std::get_if<Write>(&effect)) {
    return absl::StrCat("write ", write->property, "=", write->value);
  }
  if (const auto* state = std::get_if<ReportState>(&effect)) {
    return state->online ? "report online" : "report offline";
  }
  std::string text = "report";
  for (const TwinReport& twin : std::get<ReportTwins>(effect).twins) {
    absl::StrAppend(&text, " ", twin.property, "=",
                    twin.reported.has_value() ? twin.reported->text : "?");
    if (twin.observed_desired.has_value()) {
      absl::StrAppend(&text, "(desired ", twin.observed_desired->text, ")");
    }
  }
  return text;
}

// property, state, forget: what the plan will be. start, replan. Then what happens: link,
// connected, read, wrote, checked, method, reported. wait: time passes, in ms, and the machine is
// woken.
class Machine {
 public:
  std::string Run(const ScriptCommand& c) {
    if (c.name == "property") return AddProperty(c);
    if (c.name == "forget") {
      properties_.erase(c.Arg("name"));
      return "";
    }
    if (c.name == "state") {
      plan_.report_state = true;
      plan_.state_cycle = absl::Milliseconds(c.Int("cycle"));
      return "";
    }
    if (c.name == "start") {
      cycle_ = std::make_unique<DeviceCycle>(Plan(), c.Arg("link", "up") == "up", now_, 1);
      return Step(Woken{});
    }
    if (c.name == "connected" || c.name == "checked" || c.name == "read" || c.name == "wrote") {
      const std::string begun = std::exchange(operation_, "");
      const bool same = c.name == "connected" ? begun == "connect"
                        : c.name == "checked" ? begun == "check"
                        : c.name == "read"
                            ? begun == "read " + c.words.at(0)
                            : begun == absl::StrCat("write ", c.words.at(0), "=", c.Arg("value"));
      EXPECT_TRUE(same) << "line " << c.line << ": under way is: " << begun;
    }
    if (c.name == "reported") {
      EXPECT_TRUE(std::exchange(reporting_, false)) << "line " << c.line;
    }
    if (c.name == "replan") return Step(Planned{Plan(), c.Has("reconnect")});
    if (c.name == "link") return Step(LinkChanged{c.words.at(0) == "up"});
    if (c.name == "connected") return Step(ConnectDone{StatusOf(c)});
    if (c.name == "checked") return Step(CheckDone{StatusOf(c)});
    if (c.name == "method") return Step(MethodDone{});
    if (c.name == "reported") return Step(ReportDone{StatusOf(c)});
    if (c.name == "wrote") {
      return Step(WriteDone{c.words.at(0), c.Arg("value", ""), StatusOf(c), At()});
    }
    if (c.name == "read") {
      absl::StatusOr<std::string> value = c.Arg("value", "");
      if (c.Has("error")) value = StatusOf(c);
      return Step(ReadDone{c.words.at(0), value, At()});
    }
    if (c.name == "wait") return Wait(absl::Milliseconds(c.Int("ms")));
    ADD_FAILURE() << "unknown command " << c.text;
    return "";
  }

 private:
  std::string AddProperty(const ScriptCommand& c) {
    PropertyPlan p{.name = c.Arg("name")};
    p.collect_cycle = absl::Milliseconds(c.Int("collect", 1000));
    p.report_cycle = absl::Milliseconds(c.Int("report", 1000));
    p.report = c.Arg("cloud", "true") == "true";
    p.report_on_change = c.Has("band");
    p.dead_band = static_cast<double>(c.Int("band", 0));
    if (c.Has("desired")) p.desired = c.Arg("desired");
    properties_[p.name] = p;
    return "";
  }

  DevicePlan Plan() {
    plan_.properties.clear();
    for (const auto& [name, property] : properties_) plan_.properties.push_back(property);
    return plan_;
  }

  std::string Step(Event event) {
    std::string out;
    for (const Effect& effect : cycle_->Step(std::move(event), now_)) {
      const std::string text = Text(effect);
      absl::StrAppend(&out, text, "\n");
      if (absl::StartsWith(text, "report ")) {
        EXPECT_FALSE(std::exchange(reporting_, true)) << "two reports at a time: " << text;
      } else {
        EXPECT_EQ(std::exchange(operation_, text), "") << "two operations at a time: " << text;
      }
    }
    return out;
  }

  std::string Wait(absl::Duration by) {
    const absl::Duration end = now_ + by;
    const absl::Duration start = now_;
    std::string out;
    for (int steps = 0; cycle_->wake() <= end; ++steps) {
      if (steps == 1000) {
        ADD_FAILURE() << "it wakes without end";
        return out;
      }
      now_ = std::max(now_, cycle_->wake());
      const std::string text = Step(Woken{});
      if (text.empty()) continue;
      absl::StrAppend(&out, "after ", absl::ToInt64Milliseconds(now_ - start), " ms:\n", text);
    }
    now_ = end;
    return out;
  }

  absl::Time At() const { return absl::UnixEpoch() + now_; }

  std::map<std::string, PropertyPlan> properties_;
  DevicePlan plan_;
  std::string operation_;  // Under way, as it was printed.
  bool reporting_ = false;
  absl::Duration now_ = absl::Seconds(1000);
  std::unique_ptr<DeviceCycle> cycle_;
};

TEST(DeviceCycleTest, FollowsTheScripts) {
  skerry::testing::RunScripts("services/mappers/lib/core/testdata/device", [] {
    return
        [machine = std::make_shared<Machine>()](const ScriptCommand& c) { return machine->Run(c); };
  });
}

DevicePlan OneProperty() {
  DevicePlan plan;
  plan.properties = {{.name = "p", .report = true}};
  return plan;
}

// Back-off: no device is asked without a pause, and none waits for ever.
TEST(DeviceCycleTest, ConnectsAgainWithinItsBounds) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    absl::Duration now = absl::Seconds(1000);
    DeviceCycle cycle(OneProperty(), true, now, seed);
    cycle.Step(Woken{}, now);
    for (int failures = 0; failures < 50; ++failures) {
      ASSERT_TRUE(cycle.Step(ConnectDone{absl::InternalError("no route")}, now).empty()) << seed;
      const absl::Duration pause = cycle.wake() - now;
      ASSERT_GE(pause, absl::Milliseconds(250)) << seed;
      ASSERT_LE(pause, absl::Seconds(31)) << seed;
      now = cycle.wake();
      ASSERT_EQ(cycle.Step(Woken{}, now).size(), 1u) << seed;
    }
  }
}

// Values are bounded, and so is what one report holds.
TEST(DeviceCycleTest, AReportHasAtMostAMebibyte) {
  absl::Duration now = absl::Seconds(1000);
  DevicePlan plan;
  for (int i = 0; i < 80; ++i) {
    plan.properties.push_back({.name = absl::StrCat("p", i), .report = true});
  }
  DeviceCycle cycle(plan, false, now, 1);
  cycle.Step(Woken{}, now);
  cycle.Step(ConnectDone{absl::OkStatus()}, now);
  Effects effects = cycle.Step(CheckDone{absl::OkStatus()}, now);
  for (int i = 0; i < 80; ++i) {
    ASSERT_EQ(effects.size(), 1u);
    const std::string name = std::get<Read>(effects[0]).property;
    effects = cycle.Step(ReadDone{name, std::string(32 << 10, 'x'), absl::UnixEpoch()}, now);
  }
  size_t told = 0;
  effects = cycle.Step(LinkChanged{true}, now);
  for (int reports = 1; !effects.empty(); ++reports) {
    const size_t twins = std::get<ReportTwins>(effects[0]).twins.size();
    EXPECT_LE(twins, 32u);
    told += twins;
    ASSERT_LE(reports, 3);
    effects = cycle.Step(ReportDone{absl::OkStatus()}, now);
  }
  EXPECT_EQ(told, 80u);
}

}  // namespace
}  // namespace skerry::mapper
