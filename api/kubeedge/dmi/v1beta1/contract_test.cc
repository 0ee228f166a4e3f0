// KubeEdge's mappers are built against this contract and not against us, so a change of a name, a
// number or a type of api.proto breaks them without any error of a compiler. The table beside this
// file was not made from api.proto.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/testing/temp_dir.h"

namespace v1beta1 {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using ::testing::IsEmpty;

const FileDescriptor& Contract() { return *Device::descriptor()->file(); }

// "Device", but "google.protobuf.Any".
std::string NameOf(const Descriptor& message) {
  return message.file() == &Contract() ? message.name() : message.full_name();
}

std::string ElementTypeOf(const FieldDescriptor& field) {
  return field.message_type() != nullptr ? NameOf(*field.message_type()) : field.type_name();
}

std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    return absl::StrCat("map<", ElementTypeOf(*field.message_type()->map_key()), ", ",
                        ElementTypeOf(*field.message_type()->map_value()), ">");
  }
  return absl::StrCat(field.is_repeated() ? "repeated " : "", ElementTypeOf(field));
}

std::string LineOf(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->name(), ".", method.name(), "(",
                      method.client_streaming() ? "stream " : "", NameOf(*method.input_type()),
                      ") ", method.server_streaming() ? "stream " : "",
                      NameOf(*method.output_type()));
}

std::set<std::string> CompiledLines() {
  std::set<std::string> lines;
  for (int i = 0; i < Contract().service_count(); ++i) {
    const ServiceDescriptor& service = *Contract().service(i);
    for (int m = 0; m < service.method_count(); ++m) lines.insert(LineOf(*service.method(m)));
  }
  for (int i = 0; i < Contract().message_type_count(); ++i) {
    const Descriptor& message = *Contract().message_type(i);
    if (message.field_count() == 0) lines.insert(absl::StrCat(message.name(), " {}"));
    for (int f = 0; f < message.field_count(); ++f) {
      const FieldDescriptor& field = *message.field(f);
      lines.insert(absl::StrCat(message.name(), ".", field.name(), " = ", field.number(), " ",
                                TypeOf(field)));
    }
  }
  return lines;
}

std::set<std::string> ExpectedLines() {
  const std::string text =
      skerry::testing::ReadFileText("api/kubeedge/dmi/v1beta1/testdata/contract.txt");
  std::set<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && !absl::StartsWith(line, "#")) lines.insert(std::string(line));
  }
  return lines;
}

std::set<std::string> Without(std::set<std::string> lines, const std::set<std::string>& others) {
  for (const std::string& line : others) lines.erase(line);
  return lines;
}

TEST(DmiContractTest, HasEveryLineOfTheTable) {
  ASSERT_GT(ExpectedLines().size(), 100u);
  EXPECT_THAT(Without(ExpectedLines(), CompiledLines()), IsEmpty()) << "missing in api.proto";
}

TEST(DmiContractTest, HasNothingThatTheTableLacks) {
  EXPECT_THAT(Without(CompiledLines(), ExpectedLines()), IsEmpty()) << "not in contract.txt";
}

// Method names on the wire and the types inside Any begin with the package.
TEST(DmiContractTest, HasKubeEdgesPackage) {
  EXPECT_EQ(Contract().package(), "v1beta1");
  EXPECT_EQ(Contract().syntax(), FileDescriptor::SYNTAX_PROTO3);
  EXPECT_STREQ(DeviceManagerService::service_full_name(), "v1beta1.DeviceManagerService");
  EXPECT_STREQ(DeviceMapperService::service_full_name(), "v1beta1.DeviceMapperService");
}

// A table of fields says nothing of how they are laid out: no field may be in a oneof, and there is
// no enum and no nested message besides those of maps.
TEST(DmiContractTest, HasNoOtherKindOfElement) {
  EXPECT_EQ(Contract().enum_type_count(), 0);
  EXPECT_EQ(Contract().extension_count(), 0);
  for (int i = 0; i < Contract().message_type_count(); ++i) {
    const Descriptor& message = *Contract().message_type(i);
    EXPECT_EQ(message.oneof_decl_count(), 0) << message.name();
    EXPECT_EQ(message.enum_type_count(), 0) << message.name();
    for (int n = 0; n < message.nested_type_count(); ++n)
      EXPECT_TRUE(message.nested_type(n)->options().map_entry()) << message.name();
  }
}

}  // namespace
}  // namespace v1beta1
