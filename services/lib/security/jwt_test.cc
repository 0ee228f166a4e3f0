#include "services/lib/security/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::security {
namespace {

using ::skerry::testing::IsOkAndHolds;
using ::skerry::testing::StatusIs;

class JwtTest : public ::testing::Test {
 protected:
  std::unique_ptr<JwtKey> Open(const std::string& name = "sa.key") {
    return *JwtKey::LoadOrCreate(dir_.File(name));
  }
  testing::TempDir dir_;
};

TEST_F(JwtTest, KnowsWhatItSignedAlsoAfterARestart) {
  const std::string token = *Open()->Sign(R"({"sub":"x"})");
  EXPECT_THAT(Open()->Verify(token), IsOkAndHolds(R"({"sub":"x"})"));
  struct stat info;
  ASSERT_EQ(stat(dir_.File("sa.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(JwtTest, AnothersTokenIsRefused) {
  const std::string token = *Open("other.key")->Sign("{}");
  EXPECT_THAT(Open()->Verify(token), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(JwtTest, EveryChangedCharacterIsSeen) {
  auto key = Open();
  const std::string token = *key->Sign(R"({"sub":"system:serviceaccount:a:b"})");
  // The last one of the signature carries bits that mean nothing.
  for (size_t i = 0; i + 1 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(key->Verify(changed), StatusIs(absl::StatusCode::kUnauthenticated)) << i;
  }
}

TEST_F(JwtTest, TakesNoOtherAlgorithm) {
  auto key = Open();
  const std::string none = absl::StrCat(absl::WebSafeBase64Escape(R"({"alg":"none","typ":"JWT"})"),
                                        ".", absl::WebSafeBase64Escape("{}"), ".");
  for (const std::string& token : {none, std::string(), std::string("..."), std::string("a.b.c"),
                                   std::string(kJwtBytesMax + 1, '.')}) {
    EXPECT_THAT(key->Verify(token), StatusIs(absl::StatusCode::kUnauthenticated));
  }
}

TEST_F(JwtTest, NamesAFileThatHoldsNoKeyOfItsKind) {
  std::ofstream(dir_.File("sa.key")) << "nonsense";
  const absl::Status status = JwtKey::LoadOrCreate(dir_.File("sa.key")).status();
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("sa.key"));
}

}  // namespace
}  // namespace skerry::security
