// What LogCopier does where something is in its way. The rest is docker_runtime_test's, on a real
// Docker. Tagged "local": it mounts a small disk.
#include "services/edged-svc/docker/log_copier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/edged-svc/testing/unix_peer.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using ::testing::HasSubstr;

// A terminal's entries, as they come without frames.
std::string Entries(int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    absl::StrAppendFormat(&out, "2026-01-01T00:00:00.%09dZ %04d %s\n", i, i,
                          std::string(1000, 'x'));
  return out;
}

class LogCopierTest : public ::testing::Test {
 protected:
  LogCopier::Failed Failed() {
    return [this](const LogCopier::Log&, const absl::Status& status) {
      absl::MutexLock lock(&mutex_);
      failures_.push_back(std::string(status.message()));
    };
  }
  std::vector<std::string> failures() {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }
  // Asks again and again, as each list of containers does, for up to 20 s.
  bool Finishes(LogCopier& logs, const LogCopier::Log& log, int tries = 1000) {
    for (int i = 0; i < tries;
         ++i, absl::SleepFor(absl::Milliseconds(20))) {  // NOLINT(test-sleeps): polls
      if (logs.Finish(log)) return true;
    }
    return false;
  }

  skerry::testing::TempDir temp_;
  const std::string socket_ = temp_.File("docker.sock");
  absl::Mutex mutex_;
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

// Such as a log driver that can't be read.
TEST_F(LogCopierTest, WhatDockerRefusesIsToldOnce) {
  UnixPeer docker(socket_, [](int fd) {
    UnixPeer::ReadHead(fd);
    UnixPeer::Write(fd,
                    "HTTP/1.1 501 No\r\nContent-Length: 26\r\n\r\n{\"message\":\"not readable\"}");
  });
  DockerEngine engine(socket_, "test");
  LogCopier logs(engine, Failed());
  EXPECT_FALSE(Finishes(logs, {"x", temp_.File("x.log"), true}, 20));
  EXPECT_THAT(failures(), ::testing::ElementsAre("not readable"));
}

TEST_F(LogCopierTest, AFullDiskStopsTheCopyUntilThereIsRoom) {
  const std::string disk = temp_.File("disk");
  std::filesystem::create_directory(disk);
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=512k"), 0);
  {
    const std::string filler(300 << 10, 'f');
    std::ofstream(disk + "/filler") << filler;
    const std::string body = Entries(400);  // More than the 212 KiB that are left.
    UnixPeer docker(socket_, [&body](int fd) {
      UnixPeer::ReadHead(fd);
      UnixPeer::Write(
          fd, absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
    });
    DockerEngine engine(socket_, "test");
    LogCopier logs(engine, Failed());
    const LogCopier::Log log{"x", disk + "/x.log", true};
    EXPECT_FALSE(Finishes(logs, log, 20));
    ASSERT_EQ(failures().size(), 1u);
    EXPECT_THAT(failures()[0], HasSubstr("No space left"));
    std::filesystem::remove(disk + "/filler");
    EXPECT_TRUE(Finishes(logs, log));
    std::ifstream in(log.path);
    int lines = 0;
    for (std::string line; std::getline(in, line); ++lines) {
      ASSERT_THAT(line, HasSubstr(absl::StrFormat(" stdout F %04d x", lines)));
      ASSERT_EQ(line.size(), 30u + 10 + 5 + 1000) << lines;
    }
    EXPECT_EQ(lines, 400);
  }
  EXPECT_EQ(umount(disk.c_str()), 0);
}

}  // namespace
}  // namespace skerry::edged
