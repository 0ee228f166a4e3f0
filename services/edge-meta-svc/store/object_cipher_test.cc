#include "services/edge-meta-svc/store/object_cipher.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace skerry::edgemeta {
namespace {

class ObjectCipherTest : public ::testing::Test {
 protected:
  ObjectCipherTest() {
    char name[] = "/tmp/skerry-cipher-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/key";
  }
  ~ObjectCipherTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string path_;
};

TEST_F(ObjectCipherTest, OpensWhatItSealed) {
  auto cipher = ObjectCipher::OpenOrCreate(path_);
  ASSERT_TRUE(cipher.ok()) << cipher.status();
  EXPECT_TRUE((*cipher)->created());
  for (std::string plain : {std::string(), std::string("secret"), std::string(1 << 20, 'x')}) {
    auto sealed = (*cipher)->Seal("name", plain);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(plain.empty() ? std::string::npos : sealed->find(plain), std::string::npos);
    EXPECT_EQ(*(*cipher)->Open("name", *sealed), plain);
  }
}

TEST_F(ObjectCipherTest, KeyIsForItsOwnerAloneAndIsReadAgain) {
  std::string sealed = *(*ObjectCipher::OpenOrCreate(path_))->Seal("n", "secret");
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto again = ObjectCipher::OpenOrCreate(path_);
  EXPECT_FALSE((*again)->created());
  EXPECT_EQ(*(*again)->Open("n", sealed), "secret");
}

TEST_F(ObjectCipherTest, RefusesAnotherNameKeyOrByte) {
  auto cipher = ObjectCipher::OpenOrCreate(path_);
  std::string sealed = *(*cipher)->Seal("a", "secret");
  EXPECT_EQ((*cipher)->Open("b", sealed).status().code(), absl::StatusCode::kDataLoss);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] ^= 1;
    EXPECT_FALSE((*cipher)->Open("a", damaged).ok()) << i;
    EXPECT_FALSE((*cipher)->Open("a", sealed.substr(0, i)).ok()) << i;
  }
  auto other = ObjectCipher::OpenOrCreate(folder_ + "/other");
  EXPECT_FALSE((*other)->Open("a", sealed).ok());
}

TEST_F(ObjectCipherTest, ADamagedKeyFileIsSetAside) {
  std::ofstream(path_) << "short";
  auto cipher = ObjectCipher::OpenOrCreate(path_);
  ASSERT_TRUE(cipher.ok()) << cipher.status();
  EXPECT_TRUE((*cipher)->created());
  int aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    aside += entry.path().string().find(".damaged-") != std::string::npos;
  }
  EXPECT_EQ(aside, 1);
}

TEST_F(ObjectCipherTest, AMissingFolderIsAnError) {
  EXPECT_FALSE(ObjectCipher::OpenOrCreate(folder_ + "/no/key").ok());
}

}  // namespace
}  // namespace skerry::edgemeta
