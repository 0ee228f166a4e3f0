#include "services/lib/kubeclient/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace skerry::kubeclient {
namespace {

using ::testing::HasSubstr;

// base64 of "-----BEGIN X-----".
constexpr char kPem64[] = "LS0tLS1CRUdJTiBYLS0tLS0=";
constexpr char kPem[] = "-----BEGIN X-----";

std::string Config(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: main\n"
         "contexts:\n- name: main\n  context: {cluster: c, user: u, namespace: site}\n"
         "- name: other\n  context: {cluster: nowhere}\n"
         "clusters:\n- name: c\n  cluster: " +
         cluster + "\nusers:\n- name: u\n  user: " + user + "\n";
}

class KubeconfigTest : public ::testing::Test {
 protected:
  KubeconfigTest() {
    char name[] = "/tmp/kubeconfig_test.XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~KubeconfigTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  absl::StatusOr<RestConfig> Parse(const std::string& cluster, const std::string& user) {
    return ParseKubeconfig(Config(cluster, user), folder_, "test.yaml");
  }

  std::string folder_;
};

TEST_F(KubeconfigTest, ReadsDataOfTheCurrentContext) {
  const std::string data = kPem64;
  auto config = Parse("{server: 'https://h:6443/', certificate-authority-data: " + data + "}",
                      "{client-certificate-data: " + data + ", client-key-data: " + data + "}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server, "https://h:6443");
  EXPECT_EQ(config->ca_pem, kPem);
  EXPECT_EQ(config->cert_pem, kPem);
  EXPECT_EQ(config->key_pem, kPem);
  EXPECT_EQ(config->default_namespace, "site");
}

TEST_F(KubeconfigTest, FilesCountFromItsFolder) {
  Write("ca.crt", kPem);
  Write("token", "secret");
  auto config = Parse("{server: 'https://h', certificate-authority: ca.crt}", "{tokenFile: token}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->ca_file, folder_ + "/ca.crt");
  EXPECT_EQ(config->token_file, folder_ + "/token");
}

TEST_F(KubeconfigTest, DataGoesBeforeFiles) {
  auto config =
      Parse(std::string(
                "{server: 'https://h', certificate-authority: none, certificate-authority-data: ") +
                kPem64 + "}",
            "{token: t}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->ca_file, "");
  EXPECT_EQ(config->token, "t");
}

TEST_F(KubeconfigTest, ErrorsSayWhatIsWrong) {
  struct Case {
    std::string cluster;
    std::string user;
    const char* says;
  };
  const Case cases[] = {
      {"{server: h}", "{}", "not an http(s) URL"},
      {"{}", "{}", "not an http(s) URL"},
      {"{server: 'https://h', certificate-authority: none}", "{}", "cannot read"},
      {"{server: 'https://h', certificate-authority-data: '%%'}", "{}", "not valid base64"},
      {"{server: 'https://h', certificate-authority-data: aGVsbG8=}", "{}", "no PEM block"},
      {"{server: 'https://h'}", "{client-certificate: x}", "must be given together"},
      {"{server: 'https://h'}", "{exec: {command: aws}}", "'exec' is not supported"},
      {"{server: 'https://h'}", "{username: a, password: b}", "'username' is not supported"},
      {"{server: 'https://h'}", "{tokenFile: none}", "cannot read"},
      {"{server: [1]}", "{}", "test.yaml"},
      {"{server: 'https://h'", "{}", "line"},
  };
  for (const Case& c : cases) {
    auto config = Parse(c.cluster, c.user);
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << c.cluster;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(c.says))
        << c.cluster << " " << c.user;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr("test.yaml"));
  }
}

TEST_F(KubeconfigTest, ContextMustExist) {
  const std::string text = Config("{server: 'https://h'}", "{}");
  EXPECT_TRUE(ParseKubeconfig(text, folder_, "f", "main").ok());
  EXPECT_THAT(std::string(ParseKubeconfig(text, folder_, "f", "nope").status().message()),
              HasSubstr("no entry named 'nope' under contexts"));
  EXPECT_THAT(std::string(ParseKubeconfig(text, folder_, "f", "other").status().message()),
              HasSubstr("no entry named 'nowhere' under clusters"));
  EXPECT_THAT(std::string(ParseKubeconfig("{}", folder_, "f").status().message()),
              HasSubstr("current-context"));
  EXPECT_FALSE(ParseKubeconfig("", folder_, "f").ok());
  EXPECT_FALSE(ParseKubeconfig("[1, 2]", folder_, "f").ok());
}

TEST_F(KubeconfigTest, MissingFileIsNamed) {
  EXPECT_THAT(std::string(LoadKubeconfig(folder_ + "/none").status().message()),
              HasSubstr("/none"));
  EXPECT_TRUE(LoadKubeconfig(Write("k", Config("{server: 'https://h'}", "{}"))).ok());
}

TEST_F(KubeconfigTest, InCluster) {
  unsetenv("KUBERNETES_SERVICE_HOST");
  EXPECT_THAT(std::string(LoadRestConfig("").status().message()), HasSubstr("set 'kubeconfig'"));
  setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
  setenv("KUBERNETES_SERVICE_PORT", "443", 1);
  EXPECT_FALSE(InClusterConfig(folder_).ok()) << "no token yet";
  Write("ca.crt", kPem);
  Write("token", "t");
  Write("namespace", "mine");
  auto config = InClusterConfig(folder_);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server, "https://[fd00::1]:443");
  EXPECT_EQ(config->token_file, folder_ + "/token");
  EXPECT_EQ(config->default_namespace, "mine");
}

}  // namespace
}  // namespace skerry::kubeclient
