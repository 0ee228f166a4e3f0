#include "services/lib/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::config {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::IsOkAndHolds;
using ::skerry::testing::StatusIsWith;
using ::skerry::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct TestConfig {
  std::string listen = "127.0.0.1:0";
  std::string token;
  std::string mode = "fast";
  bool strict = false;
  int64_t workers = 4;
  double ratio = 0.5;
  absl::Duration interval = absl::Seconds(15);
  std::vector<std::string> hubs;
  int64_t queue_bytes = 1024;
};

class ConfigTest : public ::testing::Test {
 protected:
  absl::StatusOr<Action> Load(std::vector<const char*> flags,
                              std::map<std::string, std::string> env = {},
                              absl::string_view yaml = "") {
    schema_ = std::make_unique<Schema>("edge-test-svc", "A service for tests.");
    schema_->Add("listen", &config_.listen, "Address").Required();
    schema_->Add("link.token", &config_.token, "Token").Secret();
    schema_->Add("link.mode", &config_.mode, "Mode").OneOf({"fast", "slow"});
    schema_->Add("strict", &config_.strict, "Strict");
    schema_->Add("workers", &config_.workers, "Workers").Min(1).Max(64);
    schema_->Add("ratio", &config_.ratio, "Ratio").Max(1);
    schema_->Add("link.interval", &config_.interval, "Interval")
        .Min(absl::Seconds(1))
        .Max(absl::Hours(1));
    schema_->Add("hub.addresses", &config_.hubs, "Hubs");
    schema_->AddBytes("queue_bytes", &config_.queue_bytes, "Queue").Min(16);
    schema_->Renamed("link.secret", "link.token");
    schema_->Check([this]() -> absl::Status {
      if (config_.strict && config_.workers > 10)
        return absl::InvalidArgumentError("strict allows 10 workers");
      return absl::OkStatus();
    });
    std::vector<const char*> argv = {"test"};
    if (!yaml.empty()) {
      path_ = dir_.Write("c.yaml", yaml);
      argv.insert(argv.end(), {"--config", path_.c_str()});
    }
    argv.insert(argv.end(), flags.begin(), flags.end());
    return schema_->LoadWith(static_cast<int>(argv.size()), argv.data(), env);
  }

  TempDir dir_;
  std::string path_;
  TestConfig config_;
  std::unique_ptr<Schema> schema_;
};

TEST_F(ConfigTest, DefaultsStand) {
  EXPECT_THAT(Load({}), IsOkAndHolds(Action::kRun));
  EXPECT_EQ(config_.listen, "127.0.0.1:0");
  EXPECT_EQ(config_.workers, 4);
}

TEST_F(ConfigTest, FlagsBeatVariablesBeatTheFile) {
  const char* yaml = "listen: a\nworkers: 5\nratio: 0.1\n";
  ASSERT_THAT(Load({"--listen=c"},
                   {{"SKERRY_EDGE_TEST_LISTEN", "b"}, {"SKERRY_EDGE_TEST_WORKERS", "6"}}, yaml),
              IsOkAndHolds(Action::kRun));
  EXPECT_EQ(config_.listen, "c");
  EXPECT_EQ(config_.workers, 6);
  EXPECT_EQ(config_.ratio, 0.1);
}

TEST_F(ConfigTest, ReadsEveryKindFromTheFile) {
  ASSERT_THAT(Load({}, {},
                   "link:\n  token: t\n  interval: 1m30s\n  mode: slow\nstrict: true\nhub: "
                   "{addresses: [a, 'b,c']}\n"
                   "queue_bytes: 64MiB\n"),
              IsOkAndHolds(Action::kRun));
  EXPECT_EQ(config_.interval, absl::Seconds(90));
  EXPECT_EQ(config_.mode, "slow");
  EXPECT_TRUE(config_.strict);
  EXPECT_THAT(config_.hubs, ElementsAre("a", "b,c"));
  EXPECT_EQ(config_.queue_bytes, 64 << 20);
}

TEST_F(ConfigTest, ReadsEveryKindFromFlags) {
  ASSERT_THAT(Load({"--link_interval", "250ms", "--strict", "--hub_addresses=a, b", "--ratio=-1",
                    "--queue_bytes", "1GB", "--link_token="}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("give at least 1s")));
  ASSERT_THAT(
      Load({"--link_interval", "2s", "--strict", "--hub_addresses=a, b", "--queue_bytes", "1GB"}),
      IsOkAndHolds(Action::kRun));
  EXPECT_TRUE(config_.strict);
  EXPECT_THAT(config_.hubs, ElementsAre("a", "b"));
  EXPECT_EQ(config_.queue_bytes, 1000000000);
  ASSERT_THAT(Load({"--strict=false", "--hub_addresses=a", "--hub_addresses=b"}),
              IsOkAndHolds(Action::kRun));
  EXPECT_FALSE(config_.strict);
  EXPECT_THAT(config_.hubs, ElementsAre("a", "b"));
  EXPECT_THAT(Load({"--listen", "--strict"}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("listen")));
}

TEST_F(ConfigTest, FileFromAVariable) {
  const std::string path = dir_.Write("v.yaml", "workers: 7\n");
  EXPECT_THAT(Load({}, {{"SKERRY_EDGE_TEST_CONFIG", path}}), IsOkAndHolds(Action::kRun));
  EXPECT_EQ(config_.workers, 7);
}

TEST_F(ConfigTest, IgnoresForeignAndServiceLinkVariables) {
  EXPECT_THAT(Load({}, {{"SKERRY_EDGED_WORKERS", "7"},
                        {"PATH", "/bin"},
                        {"SKERRY_EDGE_TEST_SERVICE_HOST", "10.0.0.1"},
                        {"SKERRY_EDGE_TEST_SERVICE_PORT", "1"},
                        {"SKERRY_EDGE_TEST_SERVICE_PORT_GRPC", "1"},
                        {"SKERRY_EDGE_TEST_PORT", "tcp://10.0.0.1:1"},
                        {"SKERRY_EDGE_TEST_PORT_1_TCP_ADDR", "10.0.0.1"}}),
              IsOkAndHolds(Action::kRun));
  EXPECT_EQ(config_.workers, 4);
}

TEST_F(ConfigTest, AFormerNameIsRefusedWithThePresentOne) {
  const auto refused = [](absl::string_view text) {
    return StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(std::string(text)));
  };
  EXPECT_THAT(Load({}, {}, "link:\n  secret: x\n"),
              refused("c.yaml:2: key 'link.secret' is not known: it is called link.token now"));
  EXPECT_THAT(Load({}, {{"SKERRY_EDGE_TEST_LINK_SECRET", "x"}}),
              refused("is not known: it is called SKERRY_EDGE_TEST_LINK_TOKEN now"));
  EXPECT_THAT(Load({"--link_secret=x"}), refused("is not known: it is called --link_token now"));
}

struct BadInput {
  const char* name;
  std::vector<const char*> flags;
  std::map<std::string, std::string> env;
  const char* yaml;
  const char* message;  // A part of it.
};
std::ostream& operator<<(std::ostream& out, const BadInput& input) { return out << input.name; }

class BadInputTest : public ConfigTest, public ::testing::WithParamInterface<BadInput> {};

TEST_P(BadInputTest, IsRefusedWithSourceAndFix) {
  const BadInput& input = GetParam();
  const auto result = Load(input.flags, input.env, input.yaml);
  EXPECT_THAT(result, StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(input.message)));
  EXPECT_THAT(result, HasReason("INVALID_CONFIG"));
}

const BadInput kBadInputs[] = {
    {"UnknownFlag",
     {"--lissten=x"},
     {},
     "",
     "flag --lissten: is not known: did you mean --listen?"},
    {"UnknownFlagFarOff", {"--quux"}, {}, "", "flag --quux: is not known: remove it"},
    {"DashedFlag", {"--link-interval=2s"}, {}, "", "did you mean --link_interval?"},
    {"StrayWord", {"word"}, {}, "", "word"},
    {"FlagWithoutValue", {"--listen"}, {}, "", "--listen"},
    {"FlagTwice", {"--workers=1", "--workers=2"}, {}, "", "flag --workers: has 2 values: give one"},
    {"BadFlagNumber",
     {"--workers=many"},
     {},
     "",
     "flag --workers: 'workers' has invalid value 'many': give a whole"},
    {"BadBool",
     {"--strict=maybe"},
     {},
     "",
     "flag --strict: 'strict' has invalid value 'maybe': give true"},
    {"BadRatio", {"--ratio=nan"}, {}, "", "'ratio' has invalid value 'nan': give a number"},
    {"OverMax",
     {"--ratio=1.5"},
     {},
     "",
     "flag --ratio: 'ratio' has invalid value '1.5': give at most 1"},
    {"UnderMin", {"--workers=0"}, {}, "", "give at least 1"},
    {"NoUnit",
     {"--link_interval=15"},
     {},
     "",
     "'link.interval' has invalid value '15': give a duration"},
    {"NegativeDuration", {"--link_interval=-1s"}, {}, "", "give a duration"},
    {"EndlessDuration", {"--link_interval=inf"}, {}, "", "give a duration"},
    {"LongDuration", {"--link_interval=2h"}, {}, "", "give at most 1h"},
    {"BadSizeUnit", {"--queue_bytes=5 bananas"}, {}, "", "give a size with its unit"},
    {"HugeSize", {"--queue_bytes=9223372036854775807TiB"}, {}, "", "give a size with its unit"},
    {"NoSize", {"--queue_bytes=MiB"}, {}, "", "give a size with its unit"},
    {"NotOneOf", {"--link_mode=medium"}, {}, "", "give one of fast, slow"},
    {"EmptyRequired",
     {"--listen="},
     {},
     "",
     "'listen' is required and not set: give --listen, SKERRY_EDGE_TEST_LISTEN"},
    {"EmptyItem", {"--hub_addresses=a,,b"}, {}, "", "without empty items"},
    {"UnknownVariable",
     {},
     {{"SKERRY_EDGE_TEST_LINK_INTERVALL", "1s"}},
     "",
     "variable SKERRY_EDGE_TEST_LINK_INTERVALL: is not known: did you mean "
     "SKERRY_EDGE_TEST_LINK_INTERVAL?"},
    {"BadVariable",
     {},
     {{"SKERRY_EDGE_TEST_STRICT", "1"}},
     "",
     "variable SKERRY_EDGE_TEST_STRICT: 'strict' has"},
    {"UnknownKey",
     {},
     {},
     "listen: a\nlink:\n  intervall: 1s\n",
     "c.yaml:3: key 'link.intervall' is not known: did"},
    {"UnknownSection", {}, {}, "links: {interval: 1s}\n", "c.yaml:1: key 'links' is not known"},
    {"KeyTwice", {}, {}, "listen: a\nlisten: b\n", "c.yaml:2: key 'listen' is given twice"},
    {"SectionAsValue", {}, {}, "link: fast\n", "c.yaml:1: key 'link' is a section"},
    {"MapAsValue", {}, {}, "listen: {a: b}\n", "c.yaml:1: key 'listen' needs a value"},
    {"NullValue", {}, {}, "listen:\n", "c.yaml:1: key 'listen' needs a value"},
    {"ListAsValue", {}, {}, "listen: [a]\n", "give one value, not a list"},
    {"NestedList", {}, {}, "hub: {addresses: [[a]]}\n", "items must be plain values"},
    {"NotAMap", {}, {}, "- a\n", "must be a YAML map"},
    {"NotYaml", {}, {}, "a: [\n", "is not YAML"},
    {"TwoDocuments", {}, {}, "listen: a\n---\nlisten: b\n", "more than one YAML document"},
    {"BadKey", {}, {}, "{[a]: b}\n", "a key must be a plain word"},
    {"MissingFile",
     {"--config", "/nowhere/c.yaml"},
     {},
     "",
     "/nowhere/c.yaml: cannot open the config file: No such"},
    {"FolderAsFile", {"--config", "/tmp"}, {}, "", "/tmp: cannot read the config file"},
    {"Together", {"--strict", "--workers=11"}, {}, "", "strict allows 10 workers"},
};
INSTANTIATE_TEST_SUITE_P(Table, BadInputTest, ::testing::ValuesIn(kBadInputs),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(ConfigTest, ReportsAllProblemsAtOnce) {
  const auto result = Load({"--workers=0", "--ratio=x"}, {}, "links: 1\n");
  for (const char* part : {"links", "workers", "ratio"}) {
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(part));
  }
}

TEST_F(ConfigTest, RefusesAHugeFile) {
  EXPECT_THAT(Load({}, {}, "# " + std::string(1 << 20, 'x')),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("larger than 1 MiB")));
}

TEST_F(ConfigTest, SecretsAreNeverShown) {
  ASSERT_THAT(Load({"--link_token=hunter2"}), IsOkAndHolds(Action::kRun));
  bool seen = false;
  for (const log::Field& field : schema_->Effective()) {
    if (field.key() == "link.token") {
      seen = true;
      EXPECT_EQ(std::get<std::string>(field.value()), "***");
    }
  }
  EXPECT_TRUE(seen);
}

TEST_F(ConfigTest, ValidateConfigExitsOnlyWhenGood) {
  EXPECT_THAT(Load({"--validate_config"}), IsOkAndHolds(Action::kExit));
  EXPECT_FALSE(Load({"--validate_config", "--workers=0"}).ok());
}

TEST_F(ConfigTest, CheckHealthWantsAGoodConfiguration) {
  EXPECT_THAT(Load({"--check_health"}), IsOkAndHolds(Action::kCheckHealth));
  EXPECT_FALSE(Load({"--check_health", "--workers=0"}).ok());
}

TEST_F(ConfigTest, HelpNamesEveryWayToSetAValue) {
  ::testing::internal::CaptureStdout();
  EXPECT_THAT(Load({"--help"}), IsOkAndHolds(Action::kExit));
  const std::string text = ::testing::internal::GetCapturedStdout();
  for (const char* part :
       {"A service for tests.", "--link_interval", "link.interval",
        "SKERRY_EDGE_TEST_LINK_INTERVAL", "'15s'", "--config", "--validate_config", "--version"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(ConfigTest, VersionPrintsServiceAndBuild) {
  ::testing::internal::CaptureStdout();
  EXPECT_THAT(Load({"--version"}), IsOkAndHolds(Action::kExit));
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("edge-test-svc 0."));
}

TEST(CommonConfigTest, HasTheSharedSettings) {
  CommonConfig common;
  Schema schema("x-svc", "");
  AddCommon(schema, common);
  const char* argv[] = {"x", "--log_level=debug", "--ops_listen=[::1]:0", "--addresses_file=/a",
                        "--process_drain_timeout=3s"};
  ASSERT_THAT(schema.LoadWith(5, argv, {}), IsOkAndHolds(Action::kRun));
  EXPECT_EQ(common.log_level, "debug");
  EXPECT_EQ(common.drain_timeout, absl::Seconds(3));
}

}  // namespace
}  // namespace skerry::config
