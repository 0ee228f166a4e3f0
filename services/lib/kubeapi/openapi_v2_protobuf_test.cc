#include "services/lib/kubeapi/openapi_v2_protobuf.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace skerry::kubeapi {
namespace {

// The payloads of a message's length-delimited fields of this number.
std::vector<std::string> Fields(const std::string& message, int number) {
  std::vector<std::string> found;
  size_t at = 0;
  auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; at < message.size(); shift += 7) {
      const unsigned char byte = static_cast<unsigned char>(message[at++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  };
  while (at < message.size()) {
    const uint64_t tag = varint();
    const uint64_t value = varint();
    if ((tag & 7) != 2) continue;
    if (static_cast<int>(tag >> 3) == number) found.push_back(message.substr(at, value));
    at += value;
  }
  return found;
}

TEST(OpenApiV2ProtobufTest, WritesDefinitionsWithTheirKinds) {
  const Json document = Json::parse(R"({
    "swagger": "2.0", "info": {"title": "T", "version": "v1"}, "paths": {},
    "definitions": {"io.Pod": {
      "type": "object", "description": "A pod.", "required": ["spec"],
      "properties": {
        "spec": {"$ref": "#/definitions/io.Spec"},
        "args": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string", "format": "byte"}},
        "any": {"type": "object", "additionalProperties": true}},
      "x-kubernetes-group-version-kind": [{"group": "", "kind": "Pod", "version": "v1"}]}}})");
  const std::string out = OpenApiV2Protobuf(document);
  EXPECT_EQ(Fields(out, 1), std::vector<std::string>{"2.0"});
  EXPECT_EQ(Fields(Fields(out, 2).at(0), 2), std::vector<std::string>{"v1"});
  const std::string named = Fields(Fields(out, 9).at(0), 1).at(0);
  EXPECT_EQ(Fields(named, 1), std::vector<std::string>{"io.Pod"});
  const std::string pod = Fields(named, 2).at(0);
  EXPECT_EQ(Fields(pod, 4), std::vector<std::string>{"A pod."});
  EXPECT_EQ(Fields(pod, 19), std::vector<std::string>{"spec"});
  EXPECT_EQ(Fields(Fields(pod, 22).at(0), 1), std::vector<std::string>{"object"});
  const std::string extension = Fields(pod, 31).at(0);
  EXPECT_EQ(Fields(extension, 1), std::vector<std::string>{"x-kubernetes-group-version-kind"});
  EXPECT_EQ(Fields(Fields(extension, 2).at(0), 2),
            std::vector<std::string>{R"([{"group":"","kind":"Pod","version":"v1"}])"});
  std::vector<std::string> properties = Fields(Fields(pod, 25).at(0), 1);
  ASSERT_EQ(properties.size(), 4u);  // any, args, labels, spec.
  const std::string args = Fields(properties[1], 2).at(0);
  EXPECT_EQ(Fields(Fields(Fields(Fields(args, 23).at(0), 1).at(0), 22).at(0), 1),
            std::vector<std::string>{"string"});
  const std::string labels = Fields(properties[2], 2).at(0);
  EXPECT_EQ(Fields(Fields(Fields(labels, 21).at(0), 1).at(0), 2), std::vector<std::string>{"byte"});
  EXPECT_EQ(Fields(Fields(properties[3], 2).at(0), 1),
            std::vector<std::string>{"#/definitions/io.Spec"});
}

}  // namespace
}  // namespace skerry::kubeapi
