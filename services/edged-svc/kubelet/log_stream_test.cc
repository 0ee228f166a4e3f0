#include "services/edged-svc/kubelet/log_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "services/lib/pipe/testing/fake_stream.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kStamp[] = "2024-05-01T10:00:00Z stdout F ";

class LogStreamTest : public ::testing::Test {
 protected:
  LogStreamTest() { Write(""); }
  ~LogStreamTest() override {
    pool_.Stop();
    timers_.Stop();
  }
  void Write(const std::string& text) {
    std::ofstream file(path_, std::ios::app);
    if (!text.empty()) file << kStamp << text << "\n";
  }
  void Start(const LogOptions& options) {
    auto file = LogFile::Open(path_, options.tail_lines);
    ASSERT_TRUE(file.ok()) << file.status();
    std::make_shared<LogStream>(client_, *std::move(file), options,
                                LogStream::Deps{pool_, timers_, [this] { return ended_.load(); }})
        ->Start();
  }
  // Lets a follower look again.
  void LookAgain() {
    clock_.Advance(absl::Seconds(1));
    timers_.Run([] {});
  }

  skerry::testing::TempDir folder_;
  const std::string path_ = folder_.File("0.log");
  skerry::testing::FakeClock clock_;
  exec::SerialExecutor timers_{"timers", clock_};
  exec::ThreadPool pool_{"streams", 1, 8};
  std::atomic<bool> ended_ = false;
  const std::shared_ptr<pipe::testing::FakeStream> client_ =
      std::make_shared<pipe::testing::FakeStream>();
};

TEST_F(LogStreamTest, SendsAllThatIsThereInChunksAndEnds) {
  Write("one");
  Write("two");
  Start({});
  const std::string answer = client_->AwaitClosed();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"));
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n8\r\none\ntwo\n\r\n0\r\n\r\n"));
}

TEST_F(LogStreamTest, AnEmptyLogIsAnEmptyBody) {
  Start({});
  EXPECT_THAT(client_->AwaitClosed(), EndsWith("\r\n\r\n0\r\n\r\n"));
}

TEST_F(LogStreamTest, StopsAtTheLimit) {
  Write("one");
  Write("two");
  Start({.follow = true, .limit_bytes = 5});
  EXPECT_THAT(client_->AwaitClosed(), EndsWith("5\r\none\nt\r\n0\r\n\r\n"));
}

TEST_F(LogStreamTest, FollowsUntilTheContainerHasEnded) {
  Write("one");
  Start({.follow = true});
  client_->AwaitOutput("one\n");
  Write("two");
  while (client_->output().find("two\n") == std::string::npos) LookAgain();
  Write("last words");
  ended_ = true;
  while (!client_->closed().has_value()) LookAgain();
  EXPECT_THAT(client_->output(), EndsWith("last words\n\r\n0\r\n\r\n"));
}

TEST_F(LogStreamTest, ManyLinesComeInOrder) {
  std::string expected;
  for (int i = 0; i < 20000; ++i) {
    Write(absl::StrCat("line ", i));
    absl::StrAppend(&expected, "line ", i, "\n");
  }
  Start({});
  std::string answer = client_->AwaitClosed();
  std::string body, rest = answer.substr(answer.find("\r\n\r\n") + 4);
  while (true) {
    const size_t size = std::stoul(rest, nullptr, 16);
    if (size == 0) break;
    const size_t begin = rest.find("\r\n") + 2;
    body += rest.substr(begin, size);
    rest.erase(0, begin + size + 2);
  }
  EXPECT_EQ(body, expected);
}

TEST_F(LogStreamTest, AClientThatGoesEndsIt) {
  Start({.follow = true});
  client_->AwaitOutput("\r\n\r\n");
  client_->Say("");
  EXPECT_TRUE(client_->closed().has_value());
}

}  // namespace
}  // namespace skerry::edged
