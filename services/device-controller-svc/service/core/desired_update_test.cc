#include "services/device-controller-svc/service/core/desired_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Mask = DesiredUpdate::Mask;

const std::map<std::string, DesiredEntry> kPresent = {{"mode", {"auto", 3, "kubectl"}},
                                                      {"old", {std::nullopt, 5, "kubectl"}},
                                                      {"target", {"20", 7, "panel"}}};

DesiredUpdate Gives(const std::string& property, const std::string& value) {
  DesiredUpdate update;
  update.given[property].value = value;
  return update;
}

TEST(PlanUpdateTest, WritesWhatIsGivenAndExpectsNothingUnlessToldTo) {
  DesiredUpdate update = Gives("target", "25");
  update.given["mode"];  // As of a twin that was read, with its desired side taken out.
  const auto plan = PlanUpdate(update, kPresent, 1);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->values, ElementsAre(Pair("target", "25")));
  EXPECT_THAT(plan->expected, IsEmpty());
}

TEST(PlanUpdateTest, AnEmptyValueIsNone) {
  const auto plan = PlanUpdate(Gives("target", ""), kPresent, 1);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->values, ElementsAre(Pair("target", std::nullopt)));
}

TEST(PlanUpdateTest, AMaskTakesOutWhatHasNoValueAndLeavesWhatItDoesNotName) {
  DesiredUpdate update = Gives("target", "25");
  update.mask = Mask::kListed;
  update.listed = {"mode"};
  EXPECT_THAT(PlanUpdate(update, kPresent, 1)->values, ElementsAre(Pair("mode", std::nullopt)));
  update.listed = {"mode", "target"};
  EXPECT_THAT(PlanUpdate(update, kPresent, 1)->values,
              ElementsAre(Pair("mode", std::nullopt), Pair("target", "25")));
}

TEST(PlanUpdateTest, AMaskOfAllReplacesAll) {
  DesiredUpdate update = Gives("level", "1");
  update.mask = Mask::kAll;
  EXPECT_THAT(
      PlanUpdate(update, kPresent, 1)->values,
      ElementsAre(Pair("level", "1"), Pair("mode", std::nullopt), Pair("target", std::nullopt)));
  update.given.clear();
  EXPECT_THAT(PlanUpdate(update, {}, 1)->values, IsEmpty());
}

TEST(PlanUpdateTest, NothingGivenIsAnError) {
  EXPECT_THAT(PlanUpdate({}, kPresent, 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PlanUpdateTest, AnEtagExpectsAllThatWasRead) {
  DesiredUpdate update = Gives("level", "1");
  update.etag = DesiredEtag{1, 7};
  const auto plan = PlanUpdate(update, kPresent, 1);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->expected, ElementsAre(Pair("level", std::nullopt), Pair("mode", "auto"),
                                          Pair("old", std::nullopt), Pair("target", "20")));
}

TEST(PlanUpdateTest, AStaleEtagTellsBothValuesAndTheWriter) {
  DesiredUpdate update = Gives("target", "25");
  update.etag = DesiredEtag{1, 2};  // "mode" has changed since, too.
  const absl::Status status = PlanUpdate(update, kPresent, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(status, HasReason("DESIRED_CHANGED"));
  EXPECT_THAT(GetErrorInfo(status).metadata,
              ElementsAre(Pair("property", "target"), Pair("refused_value", "25"),
                          Pair("value", "20"), Pair("version", "7.0"), Pair("writer", "panel")));
}

TEST(PlanUpdateTest, AStaleEtagNamesAnotherPropertyWhereOnlyThatChanged) {
  DesiredUpdate update = Gives("mode", "off");
  update.etag = DesiredEtag{1, 5};
  const absl::Status status = PlanUpdate(update, kPresent, 1).status();
  EXPECT_THAT(GetErrorInfo(status).metadata,
              ElementsAre(Pair("property", "target"), Pair("value", "20"), Pair("version", "7.0"),
                          Pair("writer", "panel")));
}

TEST(PlanUpdateTest, AnEtagOfAFormerDeviceIsRefused) {
  DesiredUpdate update = Gives("mode", "off");
  update.etag = DesiredEtag{1, 100};
  EXPECT_THAT(PlanUpdate(update, kPresent, 2).status(), HasReason("ETAG_MISMATCH"));
}

TEST(PlanUpdateTest, AVersionGuardsItsPropertyAlone) {
  DesiredUpdate update = Gives("mode", "off");
  update.given["mode"].generation = 3;
  auto plan = PlanUpdate(update, kPresent, 1);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->expected, ElementsAre(Pair("mode", "auto")));
  update.given["mode"].generation = 2;
  EXPECT_THAT(PlanUpdate(update, kPresent, 1).status(), HasReason("DESIRED_CHANGED"));
}

TEST(PlanUpdateTest, AVersionOfAPropertyThatIsNotThereAnyMoreIsStale) {
  DesiredUpdate update = Gives("level", "1");
  update.given["level"].generation = 0;
  EXPECT_THAT(PlanUpdate(update, kPresent, 1)->expected, ElementsAre(Pair("level", std::nullopt)));
  update.given["level"].generation = 4;
  const absl::Status status = PlanUpdate(update, kPresent, 1).status();
  EXPECT_THAT(status, HasReason("DESIRED_CHANGED"));
  EXPECT_EQ(GetErrorInfo(status).metadata.count("value"), 0u);
}

TEST(DesiredEtagTest, ReadsWhatItWritesAndNothingElse) {
  EXPECT_EQ(*ParseEtag("etag", ToText({12, 7})), (DesiredEtag{12, 7}));
  for (const char* text : {"", "1", "1.", ".1", "1.2.3", "a.b", "1.-2", "1.99999999999999999999"}) {
    EXPECT_THAT(ParseEtag("etag", text).status(), HasReason("ETAG_INVALID")) << text;
  }
}

}  // namespace
}  // namespace skerry::devicecontroller
