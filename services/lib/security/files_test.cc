#include "services/lib/security/files.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::security {
namespace {

using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  stat(path.c_str(), &info);
  return info.st_mode & 0777;
}

int EntriesOf(const std::string& path) {
  DIR* folder = opendir(path.c_str());
  int count = -2;  // "." and "..".
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

TEST(FilesTest, ReplacesAWholeFileWithItsMode) {
  testing::TempDir dir;
  std::string path = dir.File("key");
  EXPECT_THAT(WriteFileAtomically(path, "one", 0600), IsOk());
  EXPECT_EQ(ModeOf(path), 0600u);
  EXPECT_THAT(WriteFileAtomically(path, "two", 0644), IsOk());
  EXPECT_EQ(ModeOf(path), 0644u);
  EXPECT_THAT(ReadSmallFile(path), IsOkAndHolds("two"));
  EXPECT_EQ(EntriesOf(dir.path()), 1) << "no temporary file is left";
}

TEST(FilesTest, AFailedWriteLeavesNothing) {
  testing::TempDir dir;
  ASSERT_THAT(MakeFolder(dir.File("target"), 0755), IsOk());
  EXPECT_FALSE(WriteFileAtomically(dir.File("target"), "x", 0600).ok()) << "a folder is in the way";
  EXPECT_EQ(EntriesOf(dir.path()), 1);
  EXPECT_THAT(WriteFileAtomically(dir.File("absent/file"), "x", 0600),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(FilesTest, NamesWhatCannotBeRead) {
  testing::TempDir dir;
  absl::Status status = ReadSmallFile(dir.File("absent")).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_NE(status.message().find("absent"), absl::string_view::npos);
  EXPECT_THAT(ReadSmallFile(dir.path()).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  dir.Write("large", std::string(2 << 20, 'x'));
  EXPECT_FALSE(ReadSmallFile(dir.File("large")).ok());
}

TEST(FilesTest, MakesMissingParents) {
  testing::TempDir dir;
  EXPECT_THAT(MakeFolder(dir.File("a/b/c"), 0700), IsOk());
  EXPECT_THAT(MakeFolder(dir.File("a/b/c"), 0755), IsOk());
  EXPECT_EQ(ModeOf(dir.File("a/b/c")), 0700u) << "an existing folder keeps its mode";
  dir.Write("file", "");
  EXPECT_FALSE(MakeFolder(dir.File("file"), 0700).ok());
  EXPECT_FALSE(MakeFolder(dir.File("file/below"), 0700).ok());
}

}  // namespace
}  // namespace skerry::security
