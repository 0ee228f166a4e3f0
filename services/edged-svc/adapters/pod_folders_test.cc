// Mounts need root outside of a user namespace: tagged "local".
#include "services/edged-svc/adapters/pod_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "services/edged-svc/adapters/mounts.h"
#include "services/edged-svc/core/pod_parser.h"
#include "services/edged-svc/testing/fake_objects.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr NodeResources kNode{4000, int64_t{8} << 30, int64_t{1} << 40};
const PodPlace kPlace{"192.0.2.1", {}};

std::string Read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class PodFoldersTest : public ::testing::Test {
 protected:
  PodFoldersTest()
      : root_(fs::canonical(temp_.path())),
        folders_((root_ / "root").string(), (root_ / "logs").string()) {
    objects_.config_maps["ns/cm"] = {.text = {{"k", "v"}}};
    objects_.secrets["ns/s"] = {.text = {{"pw", "x"}}};
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  void TearDown() override { UnmountBelow(root_.string()).IgnoreError(); }

  static PodSpec Pod(const std::string& volumes, const std::string& more = "") {
    const absl::StatusOr<PodSpec> pod =
        ParsePod(R"({"metadata":{"namespace":"ns","name":"p","uid":"u1"},"spec":{)" + more +
                 R"("containers":[{"name":"c","image":"i:1"}],"volumes":[)" + volumes + "]}}");
    EXPECT_TRUE(pod.ok()) << pod.status();
    return *pod;
  }
  std::string Prepare(const PodSpec& pod) {
    const auto volumes = folders_.Prepare(pod, kPlace, objects_, kNode);
    EXPECT_TRUE(volumes.ok()) << volumes.status();
    return volumes.ok() ? volumes->at(pod.volumes[0].name) : "";
  }

  skerry::testing::TempDir temp_;
  const fs::path root_;
  const PodFolders folders_;
  FakeObjects objects_;
};

TEST_F(PodFoldersTest, SecretsAreNeverOnTheDisk) {
  const PodSpec pod = Pod(R"({"name":"v","secret":{"secretName":"s"}})");
  const std::string path = Prepare(pod);
  EXPECT_EQ(Read(path + "/pw"), "x");
  EXPECT_EQ(MountsBelow(root_.string()), std::vector<std::string>{path});
  objects_.secrets["ns/s"].text["pw"] = "y";
  Prepare(pod);
  EXPECT_EQ(Read(path + "/pw"), "y");
  EXPECT_EQ(MountsBelow(root_.string()).size(), 1u);
  ASSERT_TRUE(folders_.Remove(pod).ok());
  EXPECT_TRUE(MountsBelow(root_.string()).empty());
  EXPECT_TRUE(folders_.List().empty());
}

TEST_F(PodFoldersTest, EmptyDirKeepsItsFiles) {
  const PodSpec pod = Pod(
      R"({"name":"v","emptyDir":{}},{"name":"m","emptyDir":{"medium":"Memory","sizeLimit":"64Ki"}})");
  const std::string path = Prepare(pod);
  std::ofstream(path + "/x") << "1";
  EXPECT_EQ(Prepare(pod), path);
  EXPECT_EQ(Read(path + "/x"), "1");
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0777u);
  EXPECT_EQ(MountsBelow(root_.string()).size(), 1u);
  EXPECT_TRUE(folders_.Remove(pod).ok());
}

TEST_F(PodFoldersTest, HostPathTypes) {
  const std::string host = (root_ / "host").string();
  const auto prepare = [&](const std::string& name, const std::string& type) {
    return folders_.Prepare(Pod(R"({"name":"v","hostPath":{"path":")" + host + "/" + name +
                                R"(","type":")" + type + R"("}})"),
                            kPlace, objects_, kNode);
  };
  fs::create_directories(host);
  EXPECT_THAT(std::string(prepare("no", "Directory").status().message()),
              HasSubstr("is not a directory"));
  EXPECT_TRUE(prepare("dir", "DirectoryOrCreate").ok());
  EXPECT_TRUE(prepare("dir", "Directory").ok());
  EXPECT_FALSE(prepare("dir", "File").ok());
  EXPECT_TRUE(prepare("file", "FileOrCreate").ok());
  EXPECT_FALSE(prepare("file", "Socket").ok());
  EXPECT_EQ(prepare("dir", "")->at("v"), host + "/dir");
}

TEST_F(PodFoldersTest, SubPathsNeverLeaveTheVolume) {
  const PodSpec pod = Pod(R"({"name":"v","emptyDir":{}})");
  const std::string volume = Prepare(pod);
  fs::create_directory(root_ / "outside");
  std::ofstream(root_ / "outside" / "secret") << "s";
  fs::create_symlink(root_ / "outside", volume + "/link");
  fs::create_symlink("../../../../../..", volume + "/up");
  fs::create_symlink("real", volume + "/inner");
  fs::create_symlink(root_ / "outside" / "dangling", volume + "/dangling");
  for (const char* path :
       {"link", "link/secret", "up", "up/etc", "link/new/folder", "dangling", "dangling/deep"}) {
    const auto bound = folders_.BindSubPath(pod, "v", volume, path, "c", 0);
    EXPECT_EQ(bound.status().code(), absl::StatusCode::kFailedPrecondition) << path;
  }
  EXPECT_FALSE(fs::exists(root_ / "outside" / "new"));
  EXPECT_FALSE(fs::exists(root_ / "outside" / "dangling"));
  const auto made = folders_.BindSubPath(pod, "v", volume, "real/deep", "c", 0);
  ASSERT_TRUE(made.ok()) << made.status();
  std::ofstream(volume + "/real/deep/f") << "1";
  EXPECT_EQ(Read(*made + "/f"), "1");
  const auto linked = folders_.BindSubPath(pod, "v", volume, "inner/deep/f", "c",
                                           0);  // Mounted anew, a file this time.
  ASSERT_TRUE(linked.ok()) << linked.status();
  EXPECT_EQ(Read(*linked), "1");
  ASSERT_TRUE(folders_.Remove(pod).ok());
  EXPECT_TRUE(fs::exists(root_ / "outside" / "secret"));
}

// [edged-4.1] As the kubelet: else a container that does not run as root could not use them.
TEST_F(PodFoldersTest, MissingSubPathsAreMadeLikeTheVolume) {
  struct stat info;
  const auto make = [&](const std::string& more, const std::string& volume) {
    const PodSpec pod = Pod(R"({"name":"v",)" + volume + "}", more);
    const std::string path = Prepare(pod);
    const auto bound = folders_.BindSubPath(pod, "v", path, "a/b", "c", 0);
    EXPECT_TRUE(bound.ok()) << bound.status();
    for (const char* folder : {"/a", "/a/b"}) {
      struct stat root, made;
      EXPECT_EQ(stat(path.c_str(), &root), 0);
      EXPECT_EQ(stat((path + folder).c_str(), &made), 0);
      EXPECT_EQ(made.st_mode, root.st_mode) << path << folder;
      EXPECT_EQ(made.st_gid, (root.st_mode & S_ISGID) != 0 ? root.st_gid : 0u) << path << folder;
      info = made;
    }
    EXPECT_TRUE(folders_.Remove(pod).ok());
  };
  make("", R"("emptyDir":{})");
  EXPECT_EQ(info.st_mode & 07777, 0777u);
  make(R"("securityContext":{"fsGroup":1234},)", R"("emptyDir":{})");
  EXPECT_EQ(info.st_mode & 07777, 02777u);
  EXPECT_EQ(info.st_gid, 1234u);
  const fs::path host = root_ / "host";
  fs::create_directory(host);
  ASSERT_EQ(chmod(host.c_str(), 01711), 0);
  make("", R"("hostPath":{"path":")" + host.string() + R"("})");
  EXPECT_EQ(info.st_mode & 07777, 01711u);
}

TEST_F(PodFoldersTest, NothingMountedIsEverDeleted) {
  const PodSpec pod =
      Pod(R"({"name":"v","hostPath":{"path":")" + (root_ / "host").string() + R"("}})");
  const std::string volume = Prepare(pod);
  fs::create_directories(volume + "/data");
  std::ofstream(volume + "/data/precious") << "1";
  ASSERT_TRUE(folders_.BindSubPath(pod, "v", volume, "data", "c", 0).ok());
  ASSERT_TRUE(folders_.Remove(pod).ok());
  EXPECT_EQ(Read(volume + "/data/precious"), "1");
}

TEST_F(PodFoldersTest, TerminationMessages) {
  const PodSpec pod = Pod("");
  const auto path = folders_.MakeTerminationLog(pod, "c", 0);
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(folders_.TerminationMessage(pod, "c", 0, false), "");
  ASSERT_TRUE(folders_.MakeLogFolder(pod, "c").ok());
  std::ofstream(folders_.LogFolder(pod) + "/c/0.log")
      << "2026-01-01T00:00:00Z stdout F one\n2026-01-01T00:00:00Z stderr F two\n";
  EXPECT_EQ(folders_.TerminationMessage(pod, "c", 0, true), "one\ntwo\n");
  std::ofstream(*path) << std::string(10000, 'x');
  EXPECT_EQ(folders_.TerminationMessage(pod, "c", 0, true), std::string(4096, 'x'));
}

TEST_F(PodFoldersTest, LogsGoWithTheirContainer) {
  const PodSpec pod = Pod("");
  ASSERT_TRUE(folders_.MakeLogFolder(pod, "c").ok());
  const fs::path folder = folders_.LogFolder(pod) + "/c";
  for (const char* name : {"0.log", "0.log.20260101-000001", "0.log.20260101-000000.gz", "1.log",
                           "1.log.20260101-000001"})
    std::ofstream(folder / name) << "x";
  folders_.RemoveLog(pod, "c", 0);
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder))
    left.insert(entry.path().filename().string());
  EXPECT_EQ(left, (std::set<std::string>{"1.log", "1.log.20260101-000001"}));
}

TEST_F(PodFoldersTest, FsGroupOwnsFiles) {
  const PodSpec pod =
      Pod(R"({"name":"v","configMap":{"name":"cm","defaultMode":256}},{"name":"e","emptyDir":{}})",
          R"("securityContext":{"fsGroup":1234},)");
  const std::string path = Prepare(pod);
  struct stat info;
  ASSERT_EQ(stat((path + "/k").c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, 1234u);
  EXPECT_EQ(info.st_mode & 0777, 0440u);
}

}  // namespace
}  // namespace skerry::edged
