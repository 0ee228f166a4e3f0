#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

namespace skerry::tsan {
namespace {

using google::protobuf::Struct;

// Struct's own code is in libprotobuf, ours is instrumented: they have to agree where a map is.
TEST(MapField, LibraryAndCallerAgreeWhereItIs) {
  Struct message;
  (*message.mutable_fields())["state"].set_string_value("on");
  std::string bytes;
  ASSERT_TRUE(message.SerializeToString(&bytes));
  Struct parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_EQ(parsed.fields().at("state").string_value(), "on");
  // By reflection, which goes through MapFieldBase.
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(message, parsed));
  parsed.Clear();
  EXPECT_TRUE(parsed.fields().empty());
}

}  // namespace
}  // namespace skerry::tsan
