#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "tools/skerryctl/bundle/archive.h"
#include "tools/skerryctl/bundle/bundle_command.h"
#include "tools/skerryctl/bundle/log_tail.h"

namespace skerry::skerryctl {
namespace {

using skerry::testing::HasReason;
using skerry::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

// What a real tar makes of it.
std::string Tar(const std::string& arguments) {
  std::string out;
  FILE* pipe = popen(("tar " + arguments + " 2>&1").c_str(), "r");
  char part[4096];
  for (size_t got = 0; (got = fread(part, 1, sizeof(part), pipe)) > 0;) out.append(part, got);
  EXPECT_EQ(pclose(pipe), 0) << out;
  return out;
}

TEST(ArchiveTest, IsReadByTar) {
  TempDir dir;
  Archive archive(10000, absl::FromUnixSeconds(1'800'000'000));
  const std::string deep = absl::StrCat(std::string(90, 'd'), "/", std::string(90, 'n'));
  ASSERT_TRUE(archive.Add("a/empty", "").ok());
  ASSERT_TRUE(archive.Add("a/full", std::string(512, 'x')).ok());
  ASSERT_TRUE(archive.Add(deep, "hello\n").ok());
  const absl::StatusOr<std::string> bytes = archive.Finish();
  ASSERT_TRUE(bytes.ok());
  const std::string file = dir.Write("a.tar.gz", *bytes);
  EXPECT_EQ(Tar("tzf " + file), absl::StrCat("a/empty\na/full\n", deep, "\n"));
  EXPECT_EQ(Tar(absl::StrCat("xzOf ", file, " ", deep)), "hello\n");
  EXPECT_EQ(Tar(absl::StrCat("xzOf ", file, " a/full")), std::string(512, 'x'));
}

TEST(ArchiveTest, KeepsItsBoundAndItsNamesInside) {
  Archive archive(10, absl::UnixEpoch());
  EXPECT_TRUE(archive.Add("a", "12345678").ok());
  EXPECT_THAT(archive.Add("b", "123"), HasReason("BUNDLE_FULL"));
  EXPECT_TRUE(archive.Add("b", "12").ok());
  for (const std::string& name :
       {std::string(), std::string("/etc/x"), std::string("../x"), std::string("a/../../x"),
        std::string(101, 'n'), absl::StrCat(std::string(156, 'd'), "/", std::string(100, 'n'))}) {
    EXPECT_TRUE(absl::IsInvalidArgument(archive.Add(name, ""))) << name;
  }
}

TEST(LogTailTest, WholeLinesFromTheEnd) {
  TempDir dir;
  const std::string file = dir.Write("log", "one\ntwo\nthree\n");
  EXPECT_EQ(*ReadTail(file, 2), "two\nthree\n");
  EXPECT_EQ(*ReadTail(file, 9), "one\ntwo\nthree\n");
  EXPECT_EQ(*ReadTail(file, 0), "");
  EXPECT_EQ(*ReadTail(dir.Write("open", "one\ntwo"), 1), "two");
  const std::string large =
      dir.Write("large", absl::StrCat(std::string(kLogTailMax, 'x'), "\nlast\n"));
  EXPECT_EQ(*ReadTail(large, 100), "last\n");
  EXPECT_TRUE(absl::IsNotFound(ReadTail(dir.File("none"), 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTail(dir.path(), 1).status()));
}

TEST(BundleTest, HasNoSecretAndSaysWhatIsMissing) {
  TempDir dir;
  dir.Write("twin.yaml", "run_dir: /run\npassword: S3cr3t\n");
  dir.Write("node.pem", "-----BEGIN PRIVATE KEY-----\nS3cr3t\n-----END PRIVATE KEY-----\n");
  const std::string log = dir.Write("twin.log", "{\"token\":\"S3cr3t\"}\nlast\n");
  SystemClock clock;
  const absl::StatusOr<Bundle> bundle = MakeBundle({.folder = dir.path(),
                                                    .run_dir = dir.path(),
                                                    .out = dir.File("out.tar.gz"),
                                                    .logs = {log, dir.File("none.log")},
                                                    .ops = {"twin-svc=127.0.0.1:1"}},
                                                   clock);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  struct stat file = {};
  ASSERT_EQ(stat(bundle->path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  const std::string text = Tar("xzOf " + bundle->path);
  EXPECT_THAT(text, Not(HasSubstr("S3cr3t")));
  EXPECT_THAT(text, HasSubstr("run_dir: /run"));
  EXPECT_THAT(text, HasSubstr("last\n"));
  EXPECT_THAT(bundle->manifest, HasSubstr("MISSING metrics/twin-svc.txt"));
  EXPECT_THAT(bundle->manifest, HasSubstr("MISSING logs/unknown"));
  EXPECT_THAT(bundle->manifest, HasSubstr("ok      config/twin.yaml"));
  EXPECT_THAT(Tar("tzf " + bundle->path), Not(HasSubstr("node.pem")));
}

TEST(BundleTest, WhatHasNoRoomIsNamed) {
  TempDir dir;
  const std::string log = dir.Write("big.log", std::string(100000, 'x'));
  SystemClock clock;
  const absl::StatusOr<Bundle> bundle = MakeBundle({.folder = dir.path(),
                                                    .run_dir = dir.path(),
                                                    .out = dir.File("out.tar.gz"),
                                                    .logs = {log},
                                                    .bytes_max = 50000},
                                                   clock);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_THAT(bundle->manifest, HasSubstr("have no room"));
  EXPECT_THAT(MakeBundle({.folder = dir.path(), .ops = {"x"}}, clock).status().message(),
              HasSubstr("--ops"));
}

}  // namespace
}  // namespace skerry::skerryctl
