#include "tools/skerryctl/bundle/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skerry::skerryctl {
namespace {

using testing::HasSubstr;
using testing::Not;

// "S3cr3t" is what must not be left.
class SecretsTest : public testing::TestWithParam<std::string> {};

TEST_P(SecretsTest, AreGone) {
  const std::string out = Redact(GetParam());
  EXPECT_THAT(out, Not(HasSubstr("S3cr3t"))) << out;
  EXPECT_THAT(out, HasSubstr("[redacted"));
}

INSTANTIATE_TEST_SUITE_P(
    Redact, SecretsTest,
    testing::Values("x\n-----BEGIN PRIVATE KEY-----\nS3cr3t\nS3cr3t\n-----END PRIVATE KEY-----\n",
                    "-----BEGIN EC PRIVATE KEY-----\nS3cr3t", "S3cr3t\n-----END PRIVATE KEY-----\n",
                    R"({"pem":"-----BEGIN PRIVATE KEY-----\nS3cr3t\n-----END PRIVATE KEY-----\n"})",
                    "db_password: S3cr3t", "password: a, S3cr3t", "password: \"a \\\" S3cr3t\"",
                    "password: 'a S3cr3t'", "password: |\n  S3cr3t\n  S3cr3t\nnext: 1\n",
                    "PASSWD=S3cr3t", R"({"a":1,"api_key":"S3cr3t","b":2})",
                    R"({"text":"{\"token\":\"S3cr3t\"}"})", "Authorization: Basic S3cr3t",
                    "curl -H 'Authorization: Bearer S3cr3t'",
                    R"({"authorization":"Bearer S3cr3t"})", "sent bearer S3cr3t away",
                    "postgres://skerry:S3cr3t@db/skerry", "eyJhbGciOi.eyJzdWIiOiJ.S3cr3t",
                    std::string(64, 'a') + ".abcdefghijkl.secret0s3cr3t0\ntoken: S3cr3t"));

TEST(RedactTest, TheSecretOfAJoinTokenGoesAndItsIdStays) {
  const std::string head = std::string(64, 'a') + ".abcdefghijkl.";
  EXPECT_EQ(Redact("used " + head + std::string(32, 'z') + " now"),
            "used " + head + "[redacted] now");
}

TEST(RedactTest, TheRestStays) {
  for (const char* text :
       {"run_dir: \"/run/skerry\"\nmqtt:\n  credentials_file: /etc/skerry/mqtt.txt\n",
        R"({"type":"secrets","objects":3})", "sealed_types: [secrets]\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "skerry_cloudhub_tokens 5\n", "https://hub.example.com:10002/v1/time\n"}) {
    EXPECT_EQ(Redact(text), text);
  }
  EXPECT_EQ(Redact(R"({"a":1,"token":"x","b":2})"), R"({"a":1,"token":[redacted],"b":2})");
}

}  // namespace
}  // namespace skerry::skerryctl
