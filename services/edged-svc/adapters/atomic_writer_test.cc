#include "services/edged-svc/adapters/atomic_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AtomicWriterTest : public ::testing::Test {
 protected:
  fs::path folder() const { return fs::path(temp_.path()) / "volume"; }
  bool Write(const VolumeFiles& files) {
    const absl::StatusOr<bool> written = WriteAtomically(folder().string(), files, std::nullopt);
    EXPECT_TRUE(written.ok()) << written.status();
    return written.value_or(false);
  }
  int Stamps() const {
    int n = 0;
    for (const auto& entry : fs::directory_iterator(folder()))
      n += entry.path().filename().string().starts_with("..20") ? 1 : 0;
    return n;
  }

  skerry::testing::TempDir temp_;
};

TEST_F(AtomicWriterTest, LaysOutAsTheKubelet) {
  EXPECT_TRUE(Write({{"a", {"1", 0644}}, {"d/e/f", {"2", 0400}}}));
  EXPECT_EQ(Read(folder() / "a"), "1");
  EXPECT_EQ(Read(folder() / "d/e/f"), "2");
  EXPECT_EQ(fs::read_symlink(folder() / "a"), "..data/a");
  EXPECT_EQ(fs::read_symlink(folder() / "d"), "..data/d");
  EXPECT_TRUE(fs::is_symlink(folder() / "..data"));
  struct stat info;
  ASSERT_EQ(stat((folder() / "d/e/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0400u);
}

TEST_F(AtomicWriterTest, UnchangedIsNotWritten) {
  const VolumeFiles files = {{"a", {"1", 0644}}};
  EXPECT_TRUE(Write(files));
  const fs::path before = fs::read_symlink(folder() / "..data");
  EXPECT_FALSE(Write(files));
  EXPECT_EQ(fs::read_symlink(folder() / "..data"), before);
}

TEST_F(AtomicWriterTest, ReplacesAllAtOnce) {
  Write({{"a", {"1", 0644}}, {"gone", {"x", 0644}}});
  std::ifstream open(folder() / "a");  // A reader keeps what it has opened.
  EXPECT_TRUE(Write({{"a", {"2", 0644}}, {"new", {"y", 0644}}}));
  EXPECT_EQ(Read(folder() / "a"), "2");
  EXPECT_EQ(Read(folder() / "new"), "y");
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder() / "gone")));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(open), {}), "1");
  EXPECT_EQ(Stamps(), 1);
}

TEST_F(AtomicWriterTest, ModeAloneIsAChange) {
  Write({{"a", {"1", 0644}}});
  EXPECT_TRUE(Write({{"a", {"1", 0600}}}));
}

TEST_F(AtomicWriterTest, ClearsWhatACrashLeft) {
  Write({{"a", {"1", 0644}}});
  fs::create_directory(folder() / "..2020_01_01_00_00_00.abcdef");
  fs::create_symlink("nowhere", folder() / "..data_tmp");
  EXPECT_TRUE(Write({{"a", {"2", 0644}}}));
  EXPECT_EQ(Stamps(), 1);
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder() / "..data_tmp")));
}

TEST_F(AtomicWriterTest, FailureLeavesTheFilesBefore) {
  Write({{"a", {"1", 0644}}});
  // "a" can't be a file and a folder.
  EXPECT_FALSE(
      WriteAtomically(folder().string(), {{"a", {"2", 0644}}, {"a/b", {"3", 0644}}}, std::nullopt)
          .ok());
  EXPECT_EQ(Read(folder() / "a"), "1");
  EXPECT_EQ(Stamps(), 1);
}

}  // namespace
}  // namespace skerry::edged
