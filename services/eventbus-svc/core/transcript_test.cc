// What KubeEdge 1.23 was seen to say, word for word (research/kubeedge.md 6.3 and 6.4), with one
// difference that is ours: an update that can't be read is answered to the device that sent it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/eventbus-svc/core/reasons.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/eventbus-svc/core/twin_documents.h"
#include "services/eventbus-svc/core/twin_request.h"
#include "services/eventbus-svc/core/twin_values.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr int64_t kT = 1700000000001;
constexpr int64_t kT2 = 1700000000002;

// The transcript's T and T2 are the times' digits.
std::string At(absl::string_view transcript) {
  return absl::StrReplaceAll(transcript, {{":T2", absl::StrCat(":", kT2)},
                                          {":T}", absl::StrCat(":", kT, "}")},
                                          {":T,", absl::StrCat(":", kT, ",")}});
}

DeviceName Temp1() { return *DeviceName::Parse("default/temp-1"); }

// `temp` after e1, and after e2.
const TwinProperty kAfter1 = {.expected = {"20", kT}, .actual = {"18", kT}, .type = "int"};
const TwinProperty kAfter2 = {.expected = {"20", kT}, .actual = {"20", kT2}, .type = "int"};

constexpr char kAfter1Text[] =
    R"({"expected":{"value":"20","metadata":{"timestamp":T}},)"
    R"("actual":{"value":"18","metadata":{"timestamp":T}},"optional":true,"metadata":{"type":"int"}})";
constexpr char kAfter2Text[] =
    R"({"expected":{"value":"20","metadata":{"timestamp":T}},)"
    R"("actual":{"value":"20","metadata":{"timestamp":T2}},"optional":true,"metadata":{"type":"int"}})";

// The device and the parsed request of what was published on default/temp-1's twin/update.
Parsed<TwinUpdateRequest> Update(absl::string_view payload) {
  const IncomingTopic topic = *ParseTopic("$hw/events/device/default/temp-1/twin/update");
  EXPECT_EQ(std::get<TwinUpdateTopic>(topic).device, Temp1());
  return ParseTwinUpdate(payload);
}

TEST(TranscriptTest, FirstUpdate) {
  const auto parsed = Update(
      R"({"event_id":"e1","timestamp":1,"twin":{"temp":{"expected":{"value":"20"},"actual":{"value":"18"},"metadata":{"type":"int"}}}})");
  ASSERT_TRUE(parsed.request.ok());
  EXPECT_THAT(parsed.request->properties,
              ElementsAre(Pair("temp", PropertyUpdate{"20", "18", std::nullopt, "int"})));

  const DocumentHead head = {parsed.event_id, kT};
  EXPECT_EQ(
      UpdateResultJson(head, {{"temp", kAfter1}}),
      At(absl::StrCat(R"({"event_id":"e1","timestamp":T,"twin":{"temp":)", kAfter1Text, "}}")));
  EXPECT_EQ(UpdateDocumentJson(head, {{"temp", {std::nullopt, kAfter1}}}),
            At(absl::StrCat(R"({"event_id":"e1","timestamp":T,"twin":{"temp":{"last":null,)",
                            R"("current":)", kAfter1Text, "}}}")));
  EXPECT_EQ(DeltaJson({"uuid", kT}, {{"temp", kAfter1}}),
            At(absl::StrCat(R"({"event_id":"uuid","timestamp":T,"twin":{"temp":)", kAfter1Text,
                            R"(},"delta":{"temp":"20"}})")));
}

TEST(TranscriptTest, SecondUpdateMendsTheDelta) {
  const auto parsed =
      Update(R"({"event_id":"e2","timestamp":2,"twin":{"temp":{"actual":{"value":"20"}}}})");
  ASSERT_TRUE(parsed.request.ok());
  EXPECT_THAT(parsed.request->properties,
              ElementsAre(Pair("temp", PropertyUpdate{.actual = "20"})));

  const DocumentHead head = {parsed.event_id, kT2};
  TwinProperty changed = kAfter2;
  changed.expected = {};
  EXPECT_EQ(
      UpdateResultJson(head, {{"temp", changed}}),
      At(R"({"event_id":"e2","timestamp":T2,"twin":{"temp":{"actual":{"value":"20","metadata":{"timestamp":T2}},"optional":true,"metadata":{"type":"int"}}}})"));
  EXPECT_EQ(UpdateDocumentJson(head, {{"temp", {kAfter1, kAfter2}}}),
            At(absl::StrCat(R"({"event_id":"e2","timestamp":T2,"twin":{"temp":{"last":)",
                            kAfter1Text, R"(,"current":)", kAfter2Text, "}}}")));
  EXPECT_EQ(DeltaJson({"uuid", kT2}, {{"temp", kAfter2}}), std::nullopt);
}

TEST(TranscriptTest, WrongType) {
  const auto parsed =
      Update(R"({"event_id":"e3","timestamp":3,"twin":{"temp":{"actual":{"value":"abc"}}}})");
  ASSERT_TRUE(parsed.request.ok());  // Only the stored twin knows the type.
  EXPECT_EQ(
      ErrorResultJson({parsed.event_id, kT}, absl::InvalidArgumentError(kReasonNotInteger)),
      At(R"({"event_id":"e3","timestamp":T,"code":400,"reason":"the value is not int or integer"})"));
}

// KubeEdge answers these on `$hw/events/device//twin/update/result` with an empty event id.
TEST(TranscriptTest, UnreadableUpdates) {
  auto parsed = Update(R"({"event_id":"e4","timestamp":4,"twin":{"temp":)");
  EXPECT_EQ(
      ErrorResultJson({parsed.event_id, kT}, parsed.request.status()),
      At(R"({"event_id":"e4","timestamp":T,"code":400,"reason":"Unmarshal update request body failed, please check the request"})"));
  EXPECT_EQ(TwinUpdateResultTopic(Temp1()), "$hw/events/device/default/temp-1/twin/update/result");

  parsed = Update("temp=18");
  EXPECT_EQ(
      ErrorResultJson({parsed.event_id, kT}, parsed.request.status()),
      At(R"({"event_id":"","timestamp":T,"code":400,"reason":"Unmarshal update request body failed, please check the request"})"));

  parsed = Update(R"({"event_id":"e5","timestamp":5})");
  EXPECT_EQ(
      ErrorResultJson({parsed.event_id, kT}, parsed.request.status()),
      At(R"({"event_id":"e5","timestamp":T,"code":400,"reason":"Update twin error, key:twin does not exist"})"));

  parsed = Update(R"({"event_id":"e6","timestamp":6,"twin":{"x y":{"actual":{"value":"1"}}}})");
  EXPECT_EQ(
      ErrorResultJson({parsed.event_id, kT}, parsed.request.status()),
      At(R"({"event_id":"e6","timestamp":T,"code":400,"reason":"twin property name \"x y\" has U+0020 at byte 2: use 1 to 128 of letters A-Z a-z, digits and -_.,:/@#"})"));
}

TEST(TranscriptTest, Deletion) {
  const auto parsed = Update(R"({"event_id":"e7","timestamp":7,"twin":{"rate":null}})");
  ASSERT_TRUE(parsed.request.ok());
  EXPECT_THAT(parsed.request->properties, ElementsAre(Pair("rate", std::nullopt)));

  const DocumentHead head = {parsed.event_id, kT};
  const TwinProperty rate = {.actual = {"3", kT}};
  EXPECT_EQ(UpdateResultJson(head, {{"rate", std::nullopt}}),
            At(R"({"event_id":"e7","timestamp":T,"twin":{"rate":null}})"));
  EXPECT_EQ(
      UpdateDocumentJson(head, {{"rate", {rate, std::nullopt}}}),
      At(R"({"event_id":"e7","timestamp":T,"twin":{"rate":{"last":{"actual":{"value":"3","metadata":{"timestamp":T}},"optional":true,"metadata":{"type":"string"}},"current":null}}})"));
}

TEST(TranscriptTest, UnknownDevice) {
  EXPECT_EQ(
      ErrorResultJson({"e12", kT}, UpdateOfUnknownDevice(*DeviceName::Parse("default/none"))),
      At(R"({"event_id":"e12","timestamp":T,"code":404,"reason":"update rejected due to the device is not existed"})"));
  EXPECT_EQ(
      ErrorResultJson({"g2", kT}, GetOfUnknownDevice(*DeviceName::Parse("default/none"))),
      At(R"({"event_id":"g2","timestamp":T,"code":404,"reason":"Device default/none not found while getting twin"})"));
}

TEST(TranscriptTest, Get) {
  const auto parsed = ParseTwinGet(R"({"event_id":"g1"})");
  ASSERT_TRUE(parsed.request.ok());
  EXPECT_EQ(
      GetResultJson({parsed.event_id, kT}, {{"temp", kAfter1}, {"rate", {.actual = {"3", kT}}}}),
      At(absl::StrCat(
          R"({"event_id":"g1","timestamp":T,"twin":{"rate":{"actual":{"value":"3","metadata":{"timestamp":T}},"optional":true,"metadata":{"type":"string"}},"temp":)",
          kAfter1Text, "}}")));
}

TEST(TranscriptTest, State) {
  const auto parsed = ParseStateUpdate(R"({"event_id":"s1","timestamp":1,"state":"online"})");
  ASSERT_TRUE(parsed.request.ok());
  EXPECT_TRUE(parsed.request->connected);
  EXPECT_EQ(
      StateResultJson({"uuid", kT}, {.name = Temp1(),
                                     .state = parsed.request->state,
                                     .last_online = absl::FromUnixSeconds(1704067200)}),
      At(R"({"event_id":"uuid","timestamp":T,"device":{"name":"temp-1","state":"online","lastOnlineTime":"2024-01-01T00:00:00Z"}})"));
}

TEST(TranscriptTest, Membership) {
  EXPECT_EQ(
      MembershipUpdatedJson({"uuid", kT}, {{.name = Temp1()}}, {}),
      At(R"({"event_id":"uuid","timestamp":T,"added_devices":[{"id":"default/temp-1","name":"temp-1"}],"removed_devices":null})"));
}

}  // namespace
}  // namespace skerry::eventbus
