// exec, attach, cp and port-forward as kubectl itself does them, over each transport that it knows.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/stream_server.h"
#include "services/edged-svc/streaming/testing/pod_api.h"
#include "services/edged-svc/streaming/testing/process_backend.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using skerry::testing::ReadFileText;
using skerry::testing::TempDir;

// The one that tools/dev/install fetched where PATH has none.
std::string Kubectl() {
  const std::string source = "services/edged-svc/streaming/kubectl_test.cc";
  const std::filesystem::path real = std::filesystem::canonical(source);
  const std::string tree = real.string().substr(0, real.string().size() - source.size());
  const std::string own = tree + ".skerry/tools/kubectl";
  return std::filesystem::exists(own) ? own : "kubectl";
}

struct Done {
  int code = 0;
  std::string out, err;
};

// What kubectl uses: WebSocket where the server has it, or SPDY alone.
class KubectlTest : public ::testing::TestWithParam<const char*> {
 protected:
  KubectlTest() {
    auto streams = StreamServer::Create(
        {},
        {.backend = backend_, .clock = clock_, .log = log::Logger::Null(), .registry = &registry_});
    EXPECT_TRUE(streams.ok()) << streams.status();
    streams_ = *std::move(streams);
    auto api = PodApi::Create(*streams_);
    EXPECT_TRUE(api.ok()) << api.status();
    api_ = *std::move(api);
  }

  std::string Command(absl::string_view arguments) const {
    return absl::StrCat("KUBECTL_REMOTE_COMMAND_WEBSOCKETS=", GetParam(),
                        " KUBECTL_PORT_FORWARD_WEBSOCKETS=", GetParam(), " HOME=", folder_.path(),
                        " KUBECONFIG=/dev/null ", kubectl_, " --server=http://", api_->address(),
                        " ", arguments);
  }
  // A shell's words with @k for kubectl; nothing here comes from outside of the test.
  Done Shell(std::string words) const {
    for (size_t at; (at = words.find("@k")) != std::string::npos;) {
      const size_t end = words.find(" @e", at);
      words = absl::StrCat(words.substr(0, at), Command(words.substr(at + 3, end - at - 3)),
                           end == std::string::npos ? "" : words.substr(end + 3));
    }
    words = absl::StrCat("cd ", folder_.path(), " && (", words, ") >", folder_.File("out"), " 2>",
                         folder_.File("err"));
    const int status = std::system(words.c_str());
    return {WEXITSTATUS(status), ReadFileText(folder_.File("out")),
            ReadFileText(folder_.File("err"))};
  }
  double Metric(absl::string_view line) const {
    const std::string text = registry_.Render();
    const size_t at = text.find(absl::StrCat("\n", line, " "));
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + 2 + line.size());
  }

  const std::string kubectl_ = Kubectl();
  TempDir folder_;
  SystemClock clock_;
  metrics::Registry registry_{"edged-svc"};
  ProcessBackend backend_;
  std::unique_ptr<StreamServer> streams_;
  std::unique_ptr<PodApi> api_;
};

TEST_P(KubectlTest, ExecHasBothOutputsAndTheExitCode) {
  const Done done = Shell("@k exec p -- sh -c 'echo out; echo err >&2; exit 3'");
  EXPECT_EQ(done.code, 3) << done.err;
  EXPECT_EQ(done.out, "out\n");
  EXPECT_EQ(done.err, "err\ncommand terminated with exit code 3\n");
  // One upgrade: nothing was refused on the way to it.
  EXPECT_EQ(Metric("skerry_edged_streams_opened_total{kind=\"exec\"}"), 1);
  EXPECT_EQ(Metric("skerry_edged_streams_refused_total{reason=\"upgrade\"}"), 0);
}

TEST_P(KubectlTest, ExecSaysWhatCannotBeRun) {
  const Done done = Shell("@k exec p -- no-such-program");
  EXPECT_EQ(done.code, 1);
  EXPECT_TRUE(absl::StrContains(done.err, "no-such-program")) << done.err;
}

TEST_P(KubectlTest, ExecCarriesMuchBothWays) {
  const Done made = Shell("head -c 20000000 /dev/urandom > much");
  ASSERT_EQ(made.code, 0);
  const Done done = Shell("@k exec -i p -- cat < much @e | cmp - much && echo same");
  EXPECT_EQ(done.out, "same\n") << done.err;
}

TEST_P(KubectlTest, ExecEndsThoughItsInputDoesNot) {
  const Done done = Shell("yes | @k exec -i p -- head -n 2 @e");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "y\ny\n");
}

TEST_P(KubectlTest, ALaterExecGoesOnWhileAnotherIsNotRead) {
  const Done done = Shell(
      "mkfifo pipe; @k exec p -- sh -c 'yes flood' > pipe @e & flood=$!; exec 3< pipe; "
      "@k exec p -- echo beside @e; kill $flood");
  EXPECT_EQ(done.out, "beside\n") << done.err;
}

TEST_P(KubectlTest, ExecOnATerminalHasItsSize) {
  const Done done = Shell(
      absl::StrCat("script -qec \"stty cols 91 rows 33; ",
                   Command("exec -it p -- sh -c 'test -t 0 && until stty size | grep -q 33.91; do "
                           ":; done; stty size; exit 5'"),
                   "\" /dev/null < /dev/null"));
  EXPECT_EQ(done.code, 5) << done.out << done.err;
  EXPECT_TRUE(absl::StrContains(done.out, "33 91")) << done.out;
}

TEST_P(KubectlTest, AttachReachesTheContainer) {
  const Done done = Shell("printf 'a\\nb\\n' | @k attach -i p @e");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "got a\ngot b\n");
}

TEST_P(KubectlTest, CpBothWays) {
  const Done done =
      Shell("head -c 3000000 /dev/urandom > there && @k cp there p:" + folder_.File("copy") +
            " @e && cmp there copy && @k cp p:" + folder_.File("copy") +
            " back @e && cmp there back && echo same");
  EXPECT_TRUE(absl::EndsWith(done.out, "same\n")) << done.out << done.err;
}

TEST_P(KubectlTest, PortForwardCarriesMuchAndSeveral) {
  const std::string much(20u << 20, 'm');
  auto pod = http::Server::Create(
      {}, [&much](http::Request request, std::shared_ptr<http::Responder> responder) {
        responder->Send({.body = request.path == "/much" ? much : "small"});
      });
  ASSERT_TRUE(pod.ok()) << pod.status();
  const std::string address = (*pod)->address();
  const std::string port = address.substr(address.rfind(':') + 1);
  const Done done = Shell(
      absl::StrCat("mkfifo said; @k port-forward p :", port,
                   " > said @e & forward=$!; exec 3< said; read -r line <&3; "
                   "url=http://127.0.0.1:$(echo $line | sed 's/.*127.0.0.1:\\([0-9]*\\) .*/\\1/'); "
                   "curl -s $url/much > much & curl=$!; curl -s $url/small > small; wait $curl; "
                   // One after the other, faster than their last seconds go by.
                   "for i in $(seq 150); do curl -s $url/small >> small; done; "
                   "kill $forward; wc -c < much; wc -c < small"));
  EXPECT_EQ(done.out, absl::StrCat(much.size(), "\n", 151 * 5, "\n")) << done.err;
  EXPECT_EQ(Metric("skerry_edged_streams_opened_total{kind=\"portforward\"}"), 1);
  EXPECT_EQ(Metric("skerry_edged_streams_refused_total{reason=\"upgrade\"}"), 0);
}

TEST_P(KubectlTest, PortForwardSaysWhatDoesNotListen) {
  const Done done = Shell(
      "mkfifo said; @k port-forward p :1 > said 2> wrong @e & forward=$!; exec 3< said; "
      "read -r line <&3; url=http://127.0.0.1:$(echo $line | sed 's/.*127.0.0.1:\\([0-9]*\\) "
      ".*/\\1/'); curl -s $url/; echo $?; kill $forward 2>/dev/null; wait $forward; cat wrong");
  EXPECT_TRUE(absl::StrContains(done.out, "error forwarding port 1 to pod c1")) << done.out;
  EXPECT_TRUE(absl::StrContains(done.out, "Connection refused")) << done.out;
}

TEST_P(KubectlTest, ServerEndsWhileStreamsAreOpen) {
  std::FILE* run =
      popen((Command("exec p -- sh -c 'echo up; exec sleep 1000'") + " 2>&1").c_str(), "r");
  ASSERT_NE(run, nullptr);
  char line[64] = {};
  ASSERT_NE(std::fgets(line, sizeof(line), run), nullptr);
  ASSERT_STREQ(line, "up\n");
  EXPECT_EQ(Metric("skerry_edged_streams"), 1);
  streams_.reset();
  EXPECT_EQ(Metric("skerry_edged_streams"), 0);
  std::string rest;
  while (std::fgets(line, sizeof(line), run) != nullptr) rest += line;
  EXPECT_NE(pclose(run), 0);
  EXPECT_TRUE(absl::StrContains(rest, "the node is being restarted")) << rest;
}

INSTANTIATE_TEST_SUITE_P(Transports, KubectlTest, ::testing::Values("true", "false"),
                         [](const auto& info) {
                           return std::string(info.param) == std::string("true") ? "WebSocket"
                                                                                 : "Spdy";
                         });

}  // namespace
}  // namespace skerry::edged
