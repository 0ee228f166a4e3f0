#include "services/lib/kubeapi/protobuf_body.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/kubeapi/built_in.h"

namespace skerry::kubeapi {
namespace {

const ResourceRegistry& Kinds() {
  static const auto* const registry = new auto(MakeBuiltInRegistry().value());
  return **registry;
}

// A length-delimited field; all lengths here fit one byte.
std::string Bytes(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) +
         bytes;
}
std::string Number(int number, int value) {
  return std::string(1, static_cast<char>(number << 3)) + static_cast<char>(value);
}

std::string Body(const std::string& version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + Bytes(1, Bytes(1, version) + Bytes(2, kind)) + Bytes(2, raw) +
         Bytes(3, "") + Bytes(4, "");
}

TEST(DecodeProtobufBodyTest, ReadsASecret) {
  const std::string meta = Bytes(1, "keys") + Bytes(2, "") + Bytes(3, "default") + Bytes(8, "") +
                           Bytes(11, Bytes(1, "app") + Bytes(2, "web")) + Bytes(14, "a/b");
  const std::string raw = Bytes(1, meta) +
                          Bytes(2, Bytes(1, "p") + Bytes(2, std::string("\0w", 2))) +
                          Bytes(3, "Opaque") + Number(5, 1);
  const absl::StatusOr<Json> secret =
      DecodeProtobufBody(*Kinds().Find("", "v1", "secrets")->schema, Body("v1", "Secret", raw));
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(
      *secret,
      Json::parse(
          R"({"apiVersion":"v1","kind":"Secret","data":{"p":"AHc="},"type":"Opaque","immutable":true,
      "metadata":{"name":"keys","namespace":"default","labels":{"app":"web"},"finalizers":["a/b"]}})"));
}

TEST(DecodeProtobufBodyTest, ReadsTimesAndNumbers) {
  const std::string spec = Bytes(1, "me") + Number(2, 40) + Bytes(4, Number(1, 100) + Number(2, 0));
  const absl::StatusOr<Json> lease =
      DecodeProtobufBody(*Kinds().Find("coordination.k8s.io", "v1", "leases")->schema,
                         Body("coordination.k8s.io/v1", "Lease", Bytes(1, "") + Bytes(2, spec)));
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(
      (*lease)["spec"],
      Json::parse(
          R"({"holderIdentity":"me","leaseDurationSeconds":40,"renewTime":"1970-01-01T00:01:40Z"})"));
}

TEST(DecodeProtobufBodyTest, RefusesWhatItWouldHalfRead) {
  const Schema& pods = *Kinds().Find("", "v1", "pods")->schema;
  const Schema& maps = *Kinds().Find("", "v1", "configmaps")->schema;
  EXPECT_FALSE(HasProtobufForm(*Kinds().Find("", "v1", "pods")->schema->properties.at("spec")));
  EXPECT_TRUE(
      absl::IsUnimplemented(DecodeProtobufBody(pods, Body("v1", "Pod", Bytes(2, "x"))).status()));
  EXPECT_TRUE(absl::IsUnimplemented(
      DecodeProtobufBody(maps, Body("v1", "ConfigMap", Bytes(9, "x"))).status()));
}

TEST(DecodeProtobufBodyTest, SurvivesEveryCutAndEveryFlip) {
  const Schema& maps = *Kinds().Find("", "v1", "configmaps")->schema;
  const std::string body = Body(
      "v1", "ConfigMap",
      Bytes(1, Bytes(1, "a") + Bytes(8, Number(1, 9))) + Bytes(2, Bytes(1, "k") + Bytes(2, "v")));
  ASSERT_TRUE(DecodeProtobufBody(maps, body).ok());
  for (size_t i = 0; i < body.size(); ++i) {
    (void)DecodeProtobufBody(maps, body.substr(0, i));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = body;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      (void)DecodeProtobufBody(maps, flipped);
    }
  }
}

}  // namespace
}  // namespace skerry::kubeapi
