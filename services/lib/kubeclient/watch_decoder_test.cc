#include "services/lib/kubeclient/watch_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace skerry::kubeclient {
namespace {

using ::testing::ElementsAre;

constexpr char kStream[] =
    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}}\n"
    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"2\"}}}"
    "\r\n"
    "\n"
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n"
    "{\"type\":\"NEWER\",\"object\":{\"metadata\":{\"name\":\"x\"}}}\n"
    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"10\"}}}"
    "\n";

class WatchDecoderTest : public ::testing::Test {
 protected:
  std::vector<std::string> said_;
  WatchDecoder decoder_{1000, [this](WatchEvent event) {
                          said_.push_back(std::to_string(static_cast<int>(event.type)) +
                                          (event.object.has_value() ? event.object->name() : "-") +
                                          event.resource_version);
                        }};
};

TEST_F(WatchDecoderTest, DecodesInOneChunk) {
  ASSERT_TRUE(decoder_.Feed(kStream).ok());
  EXPECT_THAT(said_, ElementsAre("0a1", "1a2", "3-9", "2a10"));
}

TEST_F(WatchDecoderTest, DecodesInChunksOfAnySize) {
  const std::string stream = kStream;
  for (size_t size = 1; size < stream.size(); ++size) {
    said_.clear();
    for (size_t at = 0; at < stream.size(); at += size) {
      ASSERT_TRUE(decoder_.Feed(absl::string_view(stream).substr(at, size)).ok());
    }
    EXPECT_THAT(said_, ElementsAre("0a1", "1a2", "3-9", "2a10")) << size;
  }
}

TEST_F(WatchDecoderTest, ErrorEventEndsTheWatch) {
  EXPECT_EQ(decoder_.Feed("{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\"}}\n")
                .code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(WatchDecoderTest, MalformedLinesAreErrors) {
  for (const char* line :
       {"x\n", "{}\n", "[]\n", "{\"type\":\"ADDED\"}\n", "{\"type\":\"ADDED\",\"object\":{}}\n"}) {
    EXPECT_FALSE(decoder_.Feed(line).ok()) << line;
  }
}

TEST_F(WatchDecoderTest, LineIsBounded) {
  EXPECT_TRUE(decoder_.Feed(std::string(1000, ' ')).ok());
  EXPECT_EQ(decoder_.Feed(" ").code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace skerry::kubeclient
