#include "services/lib/http/server.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace skerry::http {
namespace {

struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;  // NOLINT(google-runtime-int): curl's type
  std::string body;
};

size_t Append(char* data, size_t size, size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

Answer Fetch(const std::string& url, const std::string& body = "") {
  Answer answer;
  CURL* curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  }
  answer.code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_cleanup(curl);
  return answer;
}

TEST(ServerTest, AnswersARequest) {
  auto server = Server::Create({}, [](Request request, std::shared_ptr<Responder> responder) {
    responder->Send({.status = 201,
                     .body = absl::StrCat(request.method, request.path,
                                          request.Query("a").value_or(""), request.body.size())});
  });
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string base = absl::StrCat("http://", (*server)->address());
  EXPECT_EQ(Fetch(base + "/x%20y?a=b").body, "GET/x yb0");
  const Answer posted = Fetch(base + "/", std::string(2 << 20, 'x'));
  EXPECT_EQ(posted.status, 201);
  EXPECT_EQ(posted.body, "POST/2097152");
  EXPECT_EQ(Fetch(base + "/", std::string(4 << 20, 'x')).status, 413);
}

TEST(ServerTest, Streams) {
  auto server = Server::Create({}, [](Request request, std::shared_ptr<Responder> responder) {
    auto stream = responder->Stream(200, {{"Content-Type", "application/json"}});
    for (int i = 0; i < 1000; ++i) stream->Write("line\n");
    stream->End();
  });
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(Fetch(absl::StrCat("http://", (*server)->address(), "/")).body.size(), 5000u);
  (*server)->Shutdown(absl::Now() + absl::Seconds(5));
}

}  // namespace
}  // namespace skerry::http
