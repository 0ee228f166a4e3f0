#include "services/lib/http/answer_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using State = AnswerReader::State;

constexpr AnswerReader::Limits kSmall = {.body_bytes_max = 16, .headers_bytes_max = 128};

// Byte by byte, and all at once: the same.
State Read(absl::string_view text, bool head = false, std::string* body = nullptr) {
  AnswerReader at_once(kSmall, head);
  const State whole = at_once.Take(text);
  AnswerReader slow(kSmall, head);
  State state = State::kMore;
  for (size_t i = 0; i < text.size() && state == State::kMore; ++i)
    state = slow.Take(text.substr(i, 1));
  EXPECT_EQ(state, whole) << text;
  if (whole == State::kDone) {
    const std::string read = at_once.TakeBody();
    EXPECT_EQ(slow.TakeBody(), read);
    if (body != nullptr) *body = read;
  }
  return whole;
}

TEST(AnswerReaderTest, ReadsLengthsAndChunks) {
  std::string body;
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, &body), State::kDone);
  EXPECT_EQ(body, "hello");
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3;x=\"y\"\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n",
                 false, &body),
            State::kDone);
  EXPECT_EQ(body, "hello");
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"), State::kMore);
}

TEST(AnswerReaderTest, SomeAnswersHaveNoBody) {
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", true), State::kDone);
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true), State::kDone);
  EXPECT_EQ(Read("HTTP/1.1 204 No Content\r\n\r\n"), State::kDone);
  EXPECT_EQ(Read("HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999\r\n\r\n"), State::kDone);
}

TEST(AnswerReaderTest, SkipsInterimAnswers) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  AnswerReader reader(kSmall, false);
  EXPECT_EQ(reader.Take(absl::StrCat("HTTP/1.1 100 Continue\r\n\r\n", interim,
                                     "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 0\r\n\r\n")),
            State::kDone);
  EXPECT_EQ(reader.status(), 200);
  EXPECT_THAT(reader.TakeHeaders(), ElementsAre(Pair("X", "1"), Pair("Content-Length", "0")));
  std::string many;
  for (int i = 0; i < 9; ++i) many += interim;
  EXPECT_EQ(Read(many), State::kMalformed);
  EXPECT_EQ(Read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), State::kMalformed);
}

TEST(AnswerReaderTest, LeavesTrailersOut) {
  AnswerReader reader(kSmall, false);
  EXPECT_EQ(reader.Take("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n"),
            State::kDone);
  EXPECT_THAT(reader.TakeHeaders(), ElementsAre(Pair("Transfer-Encoding", "chunked")));
}

TEST(AnswerReaderTest, BoundsBodyAndHeaders) {
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"), State::kTooLarge);
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n9\r\n"),
            State::kTooLarge);
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
            State::kTooLarge);
  EXPECT_EQ(Read(absl::StrCat("HTTP/1.0 200 OK\r\n\r\n", std::string(17, 'x'))), State::kTooLarge);
  EXPECT_EQ(Read(absl::StrCat("HTTP/1.1 200 OK\r\nX: ", std::string(200, 'x'))), State::kTooLarge);
  EXPECT_EQ(Read(absl::StrCat("HTTP/1.1 200 ", std::string(200, 'x'))), State::kTooLarge);
  // The head of a chunk, and trailers.
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Read(absl::StrCat(chunked, "1;", std::string(8000, 'x'))), State::kTooLarge);
  EXPECT_EQ(Read(absl::StrCat(chunked, "0\r\nX: ", std::string(8000, 'x'))), State::kTooLarge);
}

// Beast counts the bytes of headers anew where what it is given ends with the first of a field.
TEST(AnswerReaderTest, BoundsHeadersThatComeOneByOne) {
  AnswerReader reader(kSmall, false);
  State state = reader.Take("HTTP/1.1 200 OK\r\nX");
  for (int i = 0; i < 20 && state == State::kMore; ++i) state = reader.Take(": 12345678\r\nX");
  EXPECT_EQ(state, State::kTooLarge);
}

TEST(AnswerReaderTest, RefusesWhatCanBeReadInTwoWays) {
  for (const char* head : {
           "Content-Length: 1\r\nContent-Length: 2\r\n",
           "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: gzip\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "X : 1\r\n",
           "X\r\n",
           "X: 1\nY: 2\r\n",
       }) {
    EXPECT_EQ(Read(absl::StrCat("HTTP/1.1 200 OK\r\n", head, "\r\n")), State::kMalformed) << head;
  }
  for (const char* text : {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
                           "\x16\x03\x01\x02 hello\r\n\r\n"}) {
    EXPECT_EQ(Read(text), State::kMalformed) << text;
  }
}

TEST(AnswerReaderTest, EndsWithTheConnection) {
  AnswerReader to_the_end(kSmall, false);
  EXPECT_EQ(to_the_end.Take("HTTP/1.1 200 OK\r\n\r\nhello"), State::kMore);
  EXPECT_EQ(to_the_end.End(), State::kDone);
  EXPECT_FALSE(to_the_end.keep_alive());
  EXPECT_EQ(to_the_end.TakeBody(), "hello");
  AnswerReader nothing(kSmall, false);
  EXPECT_EQ(nothing.End(), State::kMalformed);
  EXPECT_TRUE(nothing.untouched());
  for (const char* text : {"HTTP", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"}) {
    AnswerReader broken(kSmall, false);
    EXPECT_EQ(broken.Take(text), State::kMore);
    EXPECT_EQ(broken.End(), State::kMalformed) << text;
    EXPECT_THAT(broken.fault(), HasSubstr("breaks off"));
    EXPECT_FALSE(broken.untouched());
  }
}

class InPieces {
 public:
  State Take(absl::string_view bytes) {
    const State state = reader.Take(bytes);
    body += reader.TakeBody();
    return state;
  }
  AnswerReader reader{
      {.body_bytes_max = AnswerReader::kBodyUnbounded, .headers_bytes_max = 128}, false, true};
  std::string body;
};

TEST(AnswerReaderTest, InPiecesTheHeadersComeFirst) {
  InPieces answer;
  EXPECT_EQ(answer.Take("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: 1\r\nx: 2\r\n"),
            State::kMore);
  EXPECT_EQ(answer.Take("Content-Length: 5\r\n\r\nhe"), State::kHead);
  EXPECT_EQ(answer.reader.status(), 200);
  EXPECT_EQ(answer.reader.Header("x"), "1");
  EXPECT_EQ(answer.reader.Header("y"), "");
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.Take(""), State::kMore);
  EXPECT_EQ(answer.body, "he");
  EXPECT_EQ(answer.Take("l"), State::kMore);
  EXPECT_EQ(answer.body, "hel");
  EXPECT_EQ(answer.Take("lo"), State::kDone);
  EXPECT_EQ(answer.body, "hello");
  InPieces none;
  EXPECT_EQ(none.Take("HTTP/1.1 204 No Content\r\n\r\n"), State::kHead);
  EXPECT_EQ(none.Take(""), State::kDone);
}

TEST(AnswerReaderTest, InPiecesABodyHasNoBoundAndReservesNothing) {
  InPieces answer;
  EXPECT_EQ(answer.Take("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n"),
            State::kHead);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(answer.Take(std::string(1000, 'x')), State::kMore);
  EXPECT_EQ(answer.body.size(), 100000u);
  InPieces chunks;
  EXPECT_EQ(chunks.Take("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), State::kHead);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(chunks.Take("2;x=y\r\nab\r\n"), State::kMore);
  EXPECT_EQ(chunks.body.size(), 200u);
  EXPECT_EQ(chunks.Take("1;" + std::string(8000, 'x')), State::kTooLarge);
}

TEST(AnswerReaderTest, InPiecesWhatFollowsTheHeadersCanBeTaken) {
  InPieces upgraded;
  EXPECT_EQ(upgraded.Take("HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n\r\nraw"),
            State::kHead);
  EXPECT_EQ(upgraded.reader.status(), 101);
  EXPECT_EQ(upgraded.reader.TakeRest(), "raw");
  InPieces ignored;
  EXPECT_EQ(ignored.Take("HTTP/1.1 101 Switching Protocols\r\n\r\nraw"), State::kHead);
  EXPECT_EQ(ignored.Take(""), State::kDone);
  EXPECT_EQ(ignored.body, "");
}

TEST(AnswerReaderTest, TellsWhetherAnotherRequestMayFollow) {
  const auto keeps = [](absl::string_view text) {
    AnswerReader reader(kSmall, false);
    EXPECT_EQ(reader.Take(text), State::kDone);
    return reader.keep_alive();
  };
  EXPECT_TRUE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore than was said"));
}

}  // namespace
}  // namespace skerry::http
